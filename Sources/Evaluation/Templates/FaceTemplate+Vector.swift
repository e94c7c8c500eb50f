import Datasets
package import Inference

extension FaceTemplate {
  /// Writes the template's unit vector (width) to `vector`, and returns false where no image has a row.
  ///
  /// Images that could not be read have no row: they are left out of their medium, and a medium without an image out of
  /// the template.
  ///
  /// - Parameter rows: the rows of `images` in `table`.
  /// - Throws: `EvaluationError` where the images cancel out, or all weigh nothing.
  package func pool(
    _ table: EmbeddingTable, _ rows: [Int: Int], _ pooling: TemplatePooling,
    into vector: UnsafeMutableBufferPointer<Double>
  ) throws(EvaluationError) -> Bool {
    vector.update(repeating: 0)
    var isEmpty = true
    for medium in media {
      let count = medium.count { rows[$0] != nil }
      for image in medium {
        guard let row = rows[image] else { continue }
        let score = pooling.weights.map { Double($0[image]) } ?? 1
        table.add(row, times: score / Double(count), asUnit: pooling.rule == .unit, to: vector)
        isEmpty = false
      }
    }
    guard !isEmpty else { return false }
    // The number of media falls out with the length.
    let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard norm > 0 else {
      throw EvaluationError(
        "Template \(id) has no direction: its images' vectors cancel out, or all their detector scores are 0")
    }
    for column in vector.indices { vector[column] /= norm }
    return true
  }
}
