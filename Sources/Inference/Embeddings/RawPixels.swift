package import Datasets

/// The embedding that needs no training: the picture itself. What a network must beat.
///
/// Grey levels (0.299 R + 0.587 G + 0.114 B of ITU-R BT.601) on the network's scale, (x - 127.5) / 127.5, of the picture
/// averaged down to 32 x 32. On the AT&T faces, pairs of ten people: 96.1 % accuracy with the flip test (mean of ten
/// choices of people). The full 112 x 112 pixels reach 96.0 %; each picture's own mean taken away, 95.9 %.
package enum RawPixels {
  /// Side of the averaged picture, so that a large set's pixels fit into every rank's memory (4 KB an image).
  package static let side = 32

  /// What `Embedder.embed` does, with pixels.
  package static func embed(
    _ source: any ImageSource, samples: [Int]? = nil, flip: FlipTest = .sum, badImageLimit: Int = 0, workers: Int = 1,
    _ group: any EmbeddingGroup
  ) throws -> Embeddings {
    try images(source, samples, workers, group)
      .embeddings(width: side * side, flip: flip, badImageLimit: badImageLimit, compute)
  }

  /// What `Embedder.divide` does, with pixels.
  package static func divide(
    _ source: any ImageSource, samples: [Int]? = nil, flip: FlipTest = .sum, badImageLimit: Int = 0, workers: Int = 1,
    _ group: any EmbeddingGroup
  ) throws -> DividedTable {
    try images(source, samples, workers, group)
      .table(width: side * side, flip: flip, badImageLimit: badImageLimit, compute)
  }

  private static func images(
    _ source: any ImageSource, _ samples: [Int]?, _ workers: Int, _ group: any EmbeddingGroup
  ) -> DividedImages {
    DividedImages(
      source: source, samples: samples?.sorted() ?? Array(0..<source.count), blockSize: 32, side: side,
      workers: workers, group: group)
  }

  private static func compute(_ batch: Batch, _ rows: UnsafeMutableBufferPointer<Float>) {
    guard let images = batch.images.baseAddress else { return }
    let count = side * side
    for image in 0..<batch.count {
      let (red, green) = (images + 3 * image * count, images + (3 * image + 1) * count)
      let blue = green + count
      for pixel in 0..<count {
        rows[image * count + pixel] = 0.299 * red[pixel] + 0.587 * green[pixel] + 0.114 * blue[pixel]
      }
    }
  }
}
