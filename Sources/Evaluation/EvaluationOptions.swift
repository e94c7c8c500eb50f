package import Inference
package import Weights

/// What is evaluated, by which pairs, and how.
package struct EvaluationOptions: Codable, Equatable, Sendable {
  /// A model file, or a run's folder; nil where there are embeddings.
  package var model: String?
  /// What `cosface embed` wrote, in place of a model.
  package var embeddings: [String] = []
  /// The network of `model`, where its file does not name it.
  package var assumedModel = AssumedModel()
  /// A folder of people, or the root of the images that `pairs` names.
  package var data: String
  /// A list of pairs.
  package var pairs: String?
  /// A list of templates, which `pairs` then names.
  package var templates: String?
  /// How a template's images become one vector.
  package var pooling = TemplatePooling.Rule.unit
  /// A list of detector scores, the weights of the templates' images.
  package var detectorScores: String?
  /// The FAR whose threshold is kept; that of the best accuracy unless given.
  package var thresholdAt: Double?
  /// If above 0, only the people that training with this number and `seed` held out are evaluated.
  package var holdoutPeople = 0
  package var seed: UInt64 = 1
  package var maximumPairs = Verification.defaultMaximumPairs
  package var flip = FlipTest.sum
  package var rawPixels = false
  /// Fraction of the images that may be unreadable.
  package var maximumBadImages = 0.001
  package var batchSize = 32
  package var workers = 1

  package init(model: String?, embeddings: [String] = [], data: String) {
    precondition((model == nil) != embeddings.isEmpty, "Either a model or embeddings")
    self.model = model
    self.embeddings = embeddings
    self.data = data
  }
}
