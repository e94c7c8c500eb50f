/// A network that cannot be exported, or a file that is not what was written.
package struct ExportError: Error, Equatable, CustomStringConvertible {
  package let path: String
  package let reason: String

  package init(_ path: String, _ reason: String) {
    self.path = path
    self.reason = reason
  }

  package var description: String { "\(path.printableName): \(reason)." }
}
