package import Files
package import NeuralNetwork

extension MemoryNeed {
  /// Of a network that only looks: its weights, and what a pass over `batch` images keeps.
  package static func check(evaluating network: Network, batch: Int) throws(MemoryNeed) {
    try check(
      network.evaluationBytes(batch: batch), of: "Looking at \(batch) images of \(network.name) at once",
      remedy: "--batch-size")
  }
}
