package import Datasets

extension Embeddings {
  package var count: Int { samples.count }

  /// What stands for an image, before it is made of length 1: its embedding, or both as the flip test joins them.
  package func vector(_ row: Int) -> [Float] {
    let range = (row * width)..<((row + 1) * width)
    guard let flipped else { return Array(values[range]) }
    guard flip == .sum else { return Array(values[range]) + flipped[range] }
    return zip(values[range], flipped[range]).map { $0 + $1 }
  }

  /// The same with length 1.
  ///
  /// - Throws: an `EvaluationError` with the image's name where it is zero or not finite.
  package func unitVector(_ row: Int, of source: any ImageSource) throws(EvaluationError) -> [Float] {
    let vector = vector(row)
    let norm = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    guard norm.isFinite, norm > 0 else {
      let problem = norm == 0 ? "is all zeros and has no direction" : "holds a value that is not finite"
      throw EvaluationError("The embedding of '\(source.identifier(of: samples[row]).printableName)' \(problem)")
    }
    return vector.map { Float(Double($0) / norm) }
  }
}
