/// Embeddings or scores from which no verdict can be computed.
package struct EvaluationError: Error, Equatable, CustomStringConvertible {
  package let reason: String
  package init(_ reason: String) { self.reason = reason }
  package var description: String { reason + "." }
}
