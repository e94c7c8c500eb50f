package import Weights

/// The network that looks at a few photographs, and how.
package struct InferenceOptions: Equatable, Sendable {
  package var model: String
  /// Of which network `model` is, where its file does not say.
  package var assumedModel: AssumedModel?
  /// Adds the embedding of the mirrored image to each image's.
  package var flip = true
  /// From which cosine on two images show the same person; the run's own unless given.
  package var threshold: Double?
  package var batchSize = 32
  package var workers = 1

  package init(model: String) { self.model = model }
}
