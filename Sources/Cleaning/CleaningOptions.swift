package import Inference
package import Weights

/// Which set is looked through, by what, and from where on something counts as wrong.
package struct CleaningOptions: Equatable, Sendable {
  /// A folder of people, a .rec or a list.
  package var data: String
  /// The network, or else the embeddings that `cosface embed` wrote with one.
  package var model: String?
  package var embeddings: String?
  /// A set whose people must not be in `data`, and its embeddings where those of `data` are given.
  package var validation: String?
  package var validationEmbeddings: String?
  package var assumedModel = AssumedModel()
  package var flip = FlipTest.sum
  /// Fraction of the images that may be unreadable.
  package var maximumBadImages = 0.001
  package var batchSize = 32
  package var workers = 1

  /// Of images that are far from their person and belong to nobody else of the set, the share that is still named.
  package var falseLabels = 0.1
  /// Of people who are nobody else of the set, the share that is still named as another.
  package var falsePeople = 0.01
  /// In place of the bounds that these shares give.
  package var labelScore: Double?
  package var personScore: Double?
  /// Least correlation of the grey levels of two pictures that count as one.
  package var pictureCorrelation = 0.99

  package init(data: String) { self.data = data }
}
