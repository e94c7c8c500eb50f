package import Weights

/// Which images are embedded, by what, and where the rows go.
package struct EmbeddingOptions: Equatable, Sendable {
  package var model: String
  /// What is said of it beside its file.
  package var assumedModel = AssumedModel()
  /// A folder of images at any depth, a list of them, or a .rec.
  package var data: String
  package var output: String
  package var flip = FlipTest.sum
  /// Rows of length 1.
  package var normalize = false
  /// Fraction of the images that may be unreadable.
  package var maximumBadImages = 0.001
  package var batchSize = 32
  package var workers = 1
  /// Images after which what is done is kept on disk, to go on from.
  package var partSize = 4096

  package init(model: String, data: String, output: String) {
    self.model = model
    self.data = data
    self.output = output
  }
}
