package import Datasets

/// The embeddings of a set of images, ready to be compared.
///
/// N = images, K = embedding width.  embeddings (N, K) row-major
///
///     v_i = x_i                        or, with the flip test, x_i + x'_i or (x_i, x'_i) (x' of the mirrored image), before
///                                      normalization
///     cosine(i, j) = <v_i, v_j> / (|v_i| |v_j|)
///
/// Products and norms are summed in Double: scores do not depend on how the rows came to be divided among ranks.
package struct EmbeddingTable: Sendable {
  /// Of v: twice that of the embeddings where both are concatenated.
  package let width: Int
  /// |x_i| of the embeddings of the images as they are, not mirrored. (N)
  package private(set) var rowNorms: [Double] = []

  /// v, (N, width).
  private var vectors: [Float] = []
  /// 1 / |v_i|.
  private var inverseNorms: [Double] = []
  private let combination: FlipTest

  package var count: Int { inverseNorms.count }

  /// A table without rows, with room for `capacity`.
  ///
  /// - Parameters:
  ///   - combination: what is made of an embedding and that of the mirrored image; `none` where there are no mirrored ones.
  ///   - width: K
  package init(capacity: Int, combination: FlipTest, width: Int) {
    precondition(width > 0, "Embeddings of width \(width)")
    self.combination = combination
    self.width = combination.width(width)
    vectors.reserveCapacity(capacity * self.width)
    inverseNorms.reserveCapacity(capacity)
    rowNorms.reserveCapacity(capacity)
  }

  /// Rows of another table as they are there: its v (N, width), 1 / |v_i| and |x_i|.
  package init(vectors: [Float], inverseNorms: [Double], rowNorms: [Double] = [], width: Int) {
    precondition(vectors.count == inverseNorms.count * width, "\(vectors.count) values of width \(width)")
    (combination, self.width) = (.none, width)
    (self.vectors, self.inverseNorms, self.rowNorms) = (vectors, inverseNorms, rowNorms)
  }

  /// Throws an `EvaluationError` with the image's name, from `name(i)`, for an embedding of zeros or one that is not
  /// finite, and for a sum of both that is zero.
  ///
  /// - Parameters:
  ///   - flipped: the embeddings of the mirrored images, (N, K), where there are any.
  ///   - combination: what is made of both.
  ///   - width: K
  package init(
    _ embeddings: [Float], flipped: [Float]? = nil, combination: FlipTest = .sum, width: Int, name: (Int) -> String
  ) throws(EvaluationError) {
    precondition(
      width > 0 && !embeddings.isEmpty && embeddings.count % width == 0,
      "\(embeddings.count) values for embeddings of width \(width)")
    precondition(
      flipped == nil || flipped?.count == embeddings.count,
      "\(embeddings.count) values and \(flipped?.count ?? 0) of mirrored images")
    let combination = flipped == nil ? .none : combination
    let count = embeddings.count / width
    if combination == .none {
      self.init(capacity: 0, combination: .none, width: width)
      // Not copied: a set's rows may be most of the memory.
      vectors = embeddings
      for row in 0..<count { try take(vectors, row, name) }
    } else {
      self.init(capacity: count, combination: combination, width: width)
      try embeddings.withUnsafeBufferPointer { (rows) throws(EvaluationError) in
        try flipped!.withUnsafeBufferPointer { (mirrored) throws(EvaluationError) in
          for row in 0..<count {
            let values = (row * width)..<((row + 1) * width)
            try append(.init(rebasing: rows[values]), .init(rebasing: mirrored[values])) { name(row) }
          }
        }
      }
    }
  }

  /// The norm of a row that stands in `vectors` already.
  private mutating func take(_ vectors: [Float], _ row: Int, _ name: (Int) -> String) throws(EvaluationError) {
    let norm = try vectors.withUnsafeBufferPointer { (rows) throws(EvaluationError) in
      try Self.norm(.init(rebasing: rows[(row * width)..<((row + 1) * width)]), "embedding of") { name(row) }
    }
    rowNorms.append(norm)
    inverseNorms.append(1 / norm)
  }

  /// Adds the row of an image: its embedding x (K), and that of its mirror image x' (K) where the combination wants it.
  ///
  /// - Throws: an `EvaluationError` with the image's name, as above.
  package mutating func append(
    _ embedding: UnsafeBufferPointer<Float>, _ mirrored: UnsafeBufferPointer<Float>?, name: () -> String
  ) throws(EvaluationError) {
    let norm = try Self.norm(embedding, "embedding of", name)
    switch combination {
    case .none:
      vectors += embedding
      inverseNorms.append(1 / norm)
    case .sum, .concatenate:
      guard let mirrored else { preconditionFailure("A row without its mirror image's") }
      let other = try Self.norm(mirrored, "embedding of the mirrored image of", name)
      if combination == .sum {
        let start = vectors.count
        for (x, y) in zip(embedding, mirrored) { vectors.append(x + y) }
        let sum = try vectors.withUnsafeBufferPointer { (rows) throws(EvaluationError) in
          try Self.norm(.init(rebasing: rows[start...]), "sum of the two embeddings of", name)
        }
        inverseNorms.append(1 / sum)
      } else {
        vectors += embedding
        vectors += mirrored
        inverseNorms.append(1 / (norm * norm + other * other).squareRoot())
      }
    }
    rowNorms.append(norm)
  }

  /// The norms |x_i|, in all.
  package var norms: Distribution { Distribution(of: rowNorms) }

  /// v of some rows, (rows.count, width), and 1 / |v_i|, (rows.count).
  package func withRows<Result>(
    _ rows: Range<Int>, _ body: (UnsafeBufferPointer<Float>, UnsafeBufferPointer<Double>) throws -> Result
  ) rethrows -> Result {
    try vectors.withUnsafeBufferPointer { vectors in
      try inverseNorms.withUnsafeBufferPointer { norms in
        let values = (rows.lowerBound * width)..<(rows.upperBound * width)
        return try body(.init(rebasing: vectors[values]), .init(rebasing: norms[rows]))
      }
    }
  }

  /// In [-1, 1], a whole number of steps (`CosineStep`).
  package func cosine(_ i: Int, _ j: Int) -> Double { cosine(i, of: self, j) }

  /// That of row i here and row j of another table, which is as wide.
  package func cosine(_ i: Int, of other: EmbeddingTable, _ j: Int) -> Double {
    precondition(i < count && j < other.count, "Images \(i) and \(j) of \(count) and \(other.count)")
    precondition(width == other.width, "Embeddings of widths \(width) and \(other.width)")
    let product = vectors.withUnsafeBufferPointer { vectors in
      other.vectors.withUnsafeBufferPointer {
        Self.product(vectors.baseAddress! + i * width, $0.baseAddress! + j * width, width)
      }
    }
    return CosineStep.rounded(product * inverseNorms[i] * other.inverseNorms[j])
  }

  /// v_i / |v_i| of the rows, (rows.count, width), rounded to Float.
  package func copyUnitVectors(_ rows: Range<Int>, to output: UnsafeMutablePointer<Float>) {
    precondition(rows.isEmpty || rows.lowerBound >= 0 && rows.upperBound <= count, "Rows \(rows) of \(count)")
    vectors.withUnsafeBufferPointer { vectors in
      for (place, row) in rows.enumerated() {
        let (from, to, factor) = (vectors.baseAddress! + row * width, output + place * width, inverseNorms[row])
        for column in 0..<width { to[column] = Float(Double(from[column]) * factor) }
      }
    }
  }

  /// Adds weight * v_i, or weight * v_i / |v_i|, to `sum` (width).
  package func add(_ i: Int, times weight: Double, asUnit: Bool, to sum: UnsafeMutableBufferPointer<Double>) {
    precondition(i < count && sum.count == width, "Row \(i) of \(count), \(sum.count) sums of \(width)")
    let factor = asUnit ? weight * inverseNorms[i] : weight
    vectors.withUnsafeBufferPointer { vectors in
      for column in 0..<width { sum[column] += factor * Double(vectors[i * width + column]) }
    }
  }

  /// The sum of weight * v_i / |v_i| over some rows, (width).
  package func sumOfUnitVectors(_ rows: [Int], times weight: Double = 1) -> [Double] {
    var sum = [Double](repeating: 0, count: width)
    sum.withUnsafeMutableBufferPointer { sum in
      for row in rows { add(row, times: weight, asUnit: true, to: sum) }
    }
    return sum
  }

  private static func norm(
    _ row: UnsafeBufferPointer<Float>, _ what: String, _ name: () -> String
  ) throws(EvaluationError) -> Double {
    let norm = product(row.baseAddress!, row.baseAddress!, row.count).squareRoot()
    guard norm.isFinite else { throw EvaluationError("The \(what) '\(name())' holds a value that is not finite") }
    guard norm > 0 else { throw EvaluationError("The \(what) '\(name())' is all zeros and has no direction") }
    return norm
  }

  /// Eight sums side by side, for SIMD; their order is fixed.
  private static func product(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Double {
    var sums = SIMD8<Double>.zero
    var i = 0
    while i + 8 <= count {
      let x = UnsafeRawPointer(a + i).loadUnaligned(as: SIMD8<Float>.self)
      let y = UnsafeRawPointer(b + i).loadUnaligned(as: SIMD8<Float>.self)
      sums += SIMD8<Double>(x) * SIMD8<Double>(y)
      i += 8
    }
    var sum = sums.sum()
    while i < count {
      sum += Double(a[i]) * Double(b[i])
      i += 1
    }
    return sum
  }
}
