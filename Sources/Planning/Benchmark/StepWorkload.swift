package import NeuralNetwork

/// What the steps compute that are measured or planned.
package struct StepWorkload: Sendable {
  package let kind: NetworkKind
  package var inputSide = 112
  package var embedding = 512
  package var dropout = 0.0
  /// Of each rank.
  package var batchSize = 32
  package var classes = 10_000
  package var recomputes = false

  package init(_ kind: NetworkKind) { self.kind = kind }

  func makeNetwork() -> Network {
    kind.makeNetwork(embeddingWidth: embedding, inputSide: inputSide, dropout: dropout, recomputes: recomputes)
  }
}
