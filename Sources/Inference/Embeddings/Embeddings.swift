package import Datasets

/// One vector per image, as every rank has them after a division of labour.
///
/// N = images that could be read, K = width
package struct Embeddings: Sendable {
  /// Sample numbers of the source, ascending: row i belongs to `samples[i]`. (N)
  package let samples: [Int]
  /// Row-major. (N, K)
  package let values: [Float]
  /// Those of the mirrored images, where asked for. (N, K)
  package let flipped: [Float]?
  /// What becomes of both.
  package let flip: FlipTest
  package let width: Int
  /// Images that could not be read, in the order of their sample numbers. They have no row.
  package let badImages: [BadImage]

  /// Ready to be compared; `source` gives the names for messages.
  ///
  /// Throws an `EvaluationError` that names the image whose embedding is zero or not finite.
  package func table(of source: any ImageSource) throws(EvaluationError) -> EmbeddingTable {
    try EmbeddingTable(values, flipped: flipped, combination: flip, width: width) {
      source.identifier(of: samples[$0])
    }
  }
}

/// What becomes of the embedding x of an image and the embedding x' of its mirror image.
package enum FlipTest: String, Codable, CaseIterable, Sendable {
  /// x + x'
  case sum
  /// (x, x'), twice as wide: what CosFace's and SphereFace's papers report.
  case concatenate
  /// x alone; the mirror image is not looked at.
  case none

  /// Values of what stands for an image whose embedding has `width`.
  package func width(_ width: Int) -> Int { self == .concatenate ? 2 * width : width }

  package var description: String {
    switch self {
    case .sum: "each the sum of the image's and its mirror image's"
    case .concatenate: "each the image's and its mirror image's, one behind the other"
    case .none: ""
    }
  }
}
