import Datasets
package import Inference

extension FaceTemplate {
  /// The templates' vectors, and the row of each. Images that could not be read have no row; a template without any readable
  /// image gets no vector.
  ///
  /// - Parameter rows: the rows of `images` in `table`.
  /// - Throws: `EvaluationError` where a template's images cancel out.
  static func table(
    of templates: [FaceTemplate], _ table: EmbeddingTable, _ rows: [Int: Int]
  ) throws(EvaluationError) -> (EmbeddingTable, rows: [Int: Int]) {
    var vectors: [Float] = []
    var places: [Int] = []
    for (place, template) in templates.enumerated() {
      guard let vector = template.vector(table, rows) else { continue }
      vectors += vector.map(Float.init)
      places.append(place)
    }
    guard !places.isEmpty else { throw EvaluationError("Not one template has an image that could be read") }
    let result = try EmbeddingTable(vectors, width: table.width) { "template \(templates[places[$0]].id)" }
    return (result, Dictionary(uniqueKeysWithValues: zip(places, 0...)))
  }

  /// The mean of the media's means, (width); nil where no image has a row.
  package func vector(_ table: EmbeddingTable, _ rows: [Int: Int]) -> [Double]? {
    let present = media.map { $0.compactMap { rows[$0] } }.filter { !$0.isEmpty }
    guard !present.isEmpty else { return nil }
    var sum = [Double](repeating: 0, count: table.width)
    for medium in present {
      let weight = 1 / Double(medium.count * present.count)
      for row in medium { table.addUnitVector(row, times: weight, to: &sum) }
    }
    return sum
  }
}
