package import Datasets
import Distributed
package import Inference
package import MPI
import NeuralNetwork
import VectorKernels

/// The vectors of templates, ready to be compared.
///
/// T = templates, K = width.  vectors (T, K), of length 1 where a template has an image that could be read, in Double:
/// figures of a protocol are compared across programs, and those of 10^7 pairs stand close together.
package struct TemplateTable: Sendable {
  package let width: Int
  private let vectors: [Double]
  /// By places in the list's templates.
  private let isPresent: [Bool]

  /// Templates of images whose rows lie on several ranks: each rank makes a part of them, while all rows pass by.
  ///
  /// - Parameter communicator: every rank calls it, and gets all; nil where this process has all rows.
  /// - Throws: the same `EvaluationError` on every rank where a template's images cancel out, or no template has an image
  ///   that could be read.
  package init(
    of templates: [FaceTemplate], _ table: DividedTable, _ pooling: TemplatePooling = .init(),
    _ communicator: Communicator?
  ) throws {
    width = table.own.width
    let (rank, size) = (communicator?.rank ?? 0, communicator?.size ?? 1)
    let shares = (0..<size).map { Share.range(of: templates.count, $0, size) }
    var sums = TemplateSums(templates, part: shares[rank], table, pooling)
    if let communicator, size > 1 {
      for root in 0..<size { try table.forEachPiece(of: root, communicator) { sums.add($0, from: $1) } }
      try communicator.agree(sums.normalize())
      let counts = shares.map(\.count)
      vectors = try communicator.allGather(sums.vectors, counts: counts.map { [width] in $0 * width })
      let present = try communicator.allGather(sums.isPresent.map { $0 ? 1 : 0 } as [UInt8], counts: counts)
      isPresent = present.map { $0 == 1 }
    } else {
      sums.add(table.own, from: 0)
      if let failure = sums.normalize() { throw failure }
      (vectors, isPresent) = (sums.vectors, sums.isPresent)
    }
    guard isPresent.contains(true) else {
      throw EvaluationError("Not one template has an image that could be read")
    }
  }

  /// Whether the template at this place of the list has a vector.
  package func has(_ place: Int) -> Bool { isPresent[place] }

  /// The inner product of the unit vectors of two templates, by their places in the list: in [-1, 1], a whole number of
  /// steps (`CosineStep`).
  package func score(_ first: Int, _ second: Int) -> Double {
    vectors.withUnsafeBufferPointer { score(first, second, $0.baseAddress!) }
  }

  /// Of each pair; both templates must have vectors.
  package func scores(of pairs: [FacePair]) -> [ScoredPair] {
    [ScoredPair](unsafeUninitializedCapacity: pairs.count) { scores, count in
      let output = scores.baseAddress!
      vectors.withUnsafeBufferPointer { vectors in
        Parallel.ranges(pairs.count) { range in
          for place in range {
            let pair = pairs[place]
            let score = score(pair.first, pair.second, vectors.baseAddress!)
            (output + place).initialize(to: ScoredPair(score: score, mark: pair.mark))
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
          scores[line * second.count + column] = score(place, other, vectors.baseAddress!)
        }
      }
    }
  }

  private func score(_ first: Int, _ second: Int, _ vectors: UnsafePointer<Double>) -> Double {
    precondition(isPresent[first] && isPresent[second], "Templates without vectors have no score")
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
    return CosineStep.rounded(sum)
  }

  private func load(_ values: UnsafePointer<Double>) -> SIMD8<Double> {
    UnsafeRawPointer(values).loadUnaligned(as: SIMD8<Double>.self)
  }
}
