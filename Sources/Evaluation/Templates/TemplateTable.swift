package import Datasets
package import Inference
import NeuralNetwork

/// The vectors of templates, ready to be compared.
///
/// T = templates with a readable image, K = width.  vectors (T, K), of length 1, in Double: figures of a protocol are
/// compared across programs, and those of 10^7 pairs stand close together.
package struct TemplateTable: Sendable {
  package let width: Int
  private let vectors: [Double]
  /// By places in the list's templates; -1 where there is no vector.
  private let rows: [Int]

  /// - Parameter rows: the rows of `images` in `table`.
  /// - Throws: `EvaluationError` where a template's images cancel out, or no template has an image that could be read.
  package init(
    of templates: [FaceTemplate], _ table: EmbeddingTable, _ rows: [Int: Int], _ pooling: TemplatePooling = .init()
  ) throws(EvaluationError) {
    width = table.width
    var vectors = [Double](repeating: 0, count: templates.count * table.width)
    var places = [Int](repeating: -1, count: templates.count)
    var count = 0
    var failure: EvaluationError?
    vectors.withUnsafeMutableBufferPointer { vectors in
      for (place, template) in templates.enumerated() {
        let row = UnsafeMutableBufferPointer(rebasing: vectors[(count * table.width)..<((count + 1) * table.width)])
        do throws(EvaluationError) {
          guard try template.pool(table, rows, pooling, into: row) else { continue }
        } catch {
          failure = error
          return
        }
        places[place] = count
        count += 1
      }
    }
    if let failure { throw failure }
    guard count > 0 else { throw EvaluationError("Not one template has an image that could be read") }
    vectors.removeLast((templates.count - count) * width)
    (self.vectors, self.rows) = (vectors, places)
  }

  /// Whether the template at this place of the list has a vector.
  package func has(_ place: Int) -> Bool { rows[place] >= 0 }

  /// The inner product of the unit vectors of two templates, by their places in the list: in [-1, 1], a multiple of
  /// 2^-44.
  ///
  /// Sums in another order differ in their last bits. What differs by less than 6e-14 is a tie: a network that gives
  /// everybody one vector tells nobody from anybody.
  package func score(_ first: Int, _ second: Int) -> Double {
    vectors.withUnsafeBufferPointer { score(rows[first], rows[second], $0.baseAddress!) }
  }

  /// Of each pair; both templates must have vectors.
  package func scores(of pairs: [FacePair]) -> [Double] {
    [Double](unsafeUninitializedCapacity: pairs.count) { scores, count in
      let output = scores.baseAddress!
      vectors.withUnsafeBufferPointer { vectors in
        Parallel.ranges(pairs.count) { range in
          for place in range {
            let pair = pairs[place]
            (output + place).initialize(to: score(rows[pair.first], rows[pair.second], vectors.baseAddress!))
          }
        }
      }
      count = pairs.count
    }
  }

  /// The scores of each of `first` with each of `second`, (first.count, second.count) row-major.
  func scores(_ first: ArraySlice<Int>, _ second: ArraySlice<Int>, into scores: UnsafeMutablePointer<Double>) {
    vectors.withUnsafeBufferPointer { vectors in
      for (line, place) in first.enumerated() {
        for (column, other) in second.enumerated() {
          scores[line * second.count + column] = score(rows[place], rows[other], vectors.baseAddress!)
        }
      }
    }
  }

  private func score(_ first: Int, _ second: Int, _ vectors: UnsafePointer<Double>) -> Double {
    precondition(first >= 0 && second >= 0, "Templates without vectors have no score")
    let (a, b) = (vectors + first * width, vectors + second * width)
    var sums = (SIMD8<Double>.zero, SIMD8<Double>.zero)
    var i = 0
    while i + 16 <= width {
      sums.0 += load(a + i) * load(b + i)
      sums.1 += load(a + i + 8) * load(b + i + 8)
      i += 16
    }
    var sum = (sums.0 + sums.1).sum()
    while i < width {
      sum += a[i] * b[i]
      i += 1
    }
    return min(1, max(-1, (sum * Self.steps).rounded() / Self.steps))
  }

  private func load(_ values: UnsafePointer<Double>) -> SIMD8<Double> {
    UnsafeRawPointer(values).loadUnaligned(as: SIMD8<Double>.self)
  }

  private static let steps = 0x1p44
}
