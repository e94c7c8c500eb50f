package import Inference
package import Weights

/// Who is searched for, among whom, and how.
package struct IdentificationOptions: Codable, Equatable, Sendable {
  /// A model file, or a run's folder; nil where there are `embeddings`.
  package var model: String?
  /// Files of `cosface embed` with the embeddings of all sets, in place of a model.
  package var embeddings: [String] = []
  /// The network of `model`, where its file does not name it.
  package var assumedModel = AssumedModel()
  /// A set of people: a folder, a .rec or a list.
  package var probes: String
  /// A set that holds the probes' people.
  package var gallery: String?
  /// Whether probes of people who are not in the gallery are searched for, too: they should find nobody.
  package var isOpenSet = false
  /// A set of other people.
  package var distractors: String?
  /// What becomes of the embeddings of an image and its mirror image; files of embeddings say it themselves.
  package var flip = FlipTest.sum
  /// Fraction of each set's images that may be unreadable.
  package var maximumBadImages = 0.001
  package var batchSize = 32
  package var workers = 1

  package init(model: String?, probes: String) {
    self.model = model
    self.probes = probes
  }
}
