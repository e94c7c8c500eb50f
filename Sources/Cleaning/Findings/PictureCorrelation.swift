import Datasets
import Inference

/// How alike pictures are: the correlation of their grey levels, averaged down to `RawPixels.side`.
///
/// A picture that was encoded again, or resized, has more than 0.99 with itself; two photographs of a person have less.
struct PictureCorrelation {
  /// Pairs whose pictures are in memory at a time.
  private static let together = 4096

  /// Of each pair of images. Every rank calls it with the same values, reads its share of the pictures, and gets the
  /// same.
  static func of(
    _ pairs: [(Int, Int)], in source: any ImageSource, workers: Int, _ group: any EmbeddingGroup
  ) throws -> [Double] {
    var correlations: [Double] = []
    for start in stride(from: 0, to: pairs.count, by: together) {
      let some = pairs[start..<min(start + together, pairs.count)]
      let samples = Set(some.flatMap { [$0.0, $0.1] }).sorted()
      // All have been read before: what cannot be read now is like nothing.
      let pictures = try RawPixels.embed(
        source, samples: samples, flip: .none, badImageLimit: samples.count, workers: workers, group)
      let rows = Dictionary(zip(pictures.samples, 0...)) { first, _ in first }
      let levels = (0..<pictures.count).map { Self.standardized(pictures.vector($0)) }
      correlations += some.map { pair in
        guard let a = rows[pair.0], let b = rows[pair.1] else { return -1 }
        return zip(levels[a], levels[b]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
    }
    return correlations
  }

  /// Less their mean, of length 1; a picture of one colour stays zeros.
  private static func standardized(_ levels: [Float]) -> [Float] {
    let mean = levels.reduce(0.0) { $0 + Double($1) } / Double(levels.count)
    let length = levels.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }.squareRoot()
    return levels.map { length > 1e-6 ? Float((Double($0) - mean) / length) : 0 }
  }
}
