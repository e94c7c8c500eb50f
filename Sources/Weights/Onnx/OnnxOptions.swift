/// What an ONNX file shall hold.
package struct OnnxOptions: Equatable, Sendable {
  /// The input is uint8 pixels, and the graph begins with (x - 127.5) / 127.5.
  package var embedsPreprocessing = false
  /// The embeddings have length 1.
  package var normalizes = false
  /// Batch normalization goes into the convolutions and fully connected layers before it.
  package var folds = true

  package init() {}
}
