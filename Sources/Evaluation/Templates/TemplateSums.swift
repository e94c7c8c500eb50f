package import Datasets
package import Inference

/// The sums that become the vectors of some templates, while the images' rows pass by in their order.
///
/// Images that could not be read have no row: they are left out of their medium, and a medium without an image out of the
/// template.
package struct TemplateSums {
  /// (T, K)
  package private(set) var vectors: [Double]
  /// Whether a template has an image that could be read. (T)
  package private(set) var isPresent: [Bool]

  /// One image of one template.
  private struct Use {
    let row: Int32
    /// Of the part's templates.
    let template: Int32
    /// The image's share of its medium, times its weight.
    let factor: Double
  }

  private let ids: [String]
  private let width: Int
  private let asUnit: Bool
  /// By rows.
  private var uses: [Use] = []

  /// - Parameter part: the templates to sum up, among all.
  package init(_ templates: [FaceTemplate], part: Range<Int>, _ table: DividedTable, _ pooling: TemplatePooling) {
    width = table.own.width
    asUnit = pooling.rule == .unit
    ids = templates[part].map(\.id)
    vectors = [Double](repeating: 0, count: part.count * width)
    isPresent = [Bool](repeating: false, count: part.count)
    let rows = table.rowsBySample
    for (place, template) in templates[part].enumerated() {
      for medium in template.media {
        let readable = medium.filter { rows[$0] >= 0 }
        for image in readable {
          let weight = pooling.weights.map { Double($0[image]) } ?? 1
          uses.append(
            Use(row: rows[image], template: Int32(place), factor: weight / Double(readable.count)))
          isPresent[place] = true
        }
      }
    }
    uses.sort { ($0.row, $0.template) < ($1.row, $1.template) }
  }

  /// Adds rows that pass by, of which the first is row `start` of all.
  package mutating func add(_ rows: EmbeddingTable, from start: Int) {
    let first = place(of: start)
    let end = place(of: start + rows.count)
    vectors.withUnsafeMutableBufferPointer { vectors in
      for use in uses[first..<end] {
        let sum = (Int(use.template) * width)..<((Int(use.template) + 1) * width)
        rows.add(Int(use.row) - start, times: use.factor, asUnit: asUnit, to: .init(rebasing: vectors[sum]))
      }
    }
  }

  /// The first use of a row at or behind `row`.
  private func place(of row: Int) -> Int {
    var (low, high) = (0, uses.count)
    while low < high {
      let middle = (low + high) / 2
      if uses[middle].row < row { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Makes every sum of length 1; the number of media falls out.
  ///
  /// - Returns: what is wrong where the images of a template cancel out, or all weigh nothing.
  package mutating func normalize() -> EvaluationError? {
    for place in isPresent.indices where isPresent[place] {
      let range = (place * width)..<((place + 1) * width)
      let norm = vectors[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard norm > 0 else {
        return EvaluationError(
          "Template \(ids[place]) has no direction: its images' vectors cancel out, or all their detector scores are 0")
      }
      for column in range { vectors[column] /= norm }
    }
    return nil
  }
}
