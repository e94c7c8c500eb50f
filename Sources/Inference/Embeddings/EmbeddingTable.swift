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
  /// The norms |x_i| of the embeddings of the images as they are, not mirrored.
  package let norms: Distribution

  /// v, (N, width).
  private let vectors: [Float]
  /// 1 / |v_i|.
  private let inverseNorms: [Double]

  package var count: Int { inverseNorms.count }

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
    let norms = try Self.norms(of: embeddings, width, "embedding of", name)
    self.norms = Distribution(of: norms)
    guard let flipped, combination != .none else {
      self.width = width
      vectors = embeddings
      inverseNorms = norms.map { 1 / $0 }
      return
    }
    let others = try Self.norms(of: flipped, width, "embedding of the mirrored image of", name)
    if combination == .sum {
      self.width = width
      vectors = zip(embeddings, flipped).map { $0 + $1 }
      inverseNorms = try Self.norms(of: vectors, width, "sum of the two embeddings of", name).map { 1 / $0 }
    } else {
      self.width = 2 * width
      vectors = norms.indices.flatMap { row in
        let values = (row * width)..<((row + 1) * width)
        return embeddings[values] + flipped[values]
      }
      inverseNorms = zip(norms, others).map { 1 / ($0 * $0 + $1 * $1).squareRoot() }
    }
  }

  /// In [-1, 1].
  package func cosine(_ i: Int, _ j: Int) -> Double { cosine(i, of: self, j) }

  /// That of row i here and row j of another table, which is as wide. In [-1, 1].
  package func cosine(_ i: Int, of other: EmbeddingTable, _ j: Int) -> Double {
    precondition(i < count && j < other.count, "Images \(i) and \(j) of \(count) and \(other.count)")
    precondition(width == other.width, "Embeddings of widths \(width) and \(other.width)")
    let product = vectors.withUnsafeBufferPointer { vectors in
      other.vectors.withUnsafeBufferPointer {
        Self.product(vectors.baseAddress! + i * width, $0.baseAddress! + j * width, width)
      }
    }
    // An image with itself may come out an ulp above 1.
    return min(1, max(-1, product * inverseNorms[i] * other.inverseNorms[j]))
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

  package func cosines(of pairs: [FacePair]) -> [Double] {
    pairs.map { cosine($0.first, $0.second) }
  }

  private static func norms(
    of rows: [Float], _ width: Int, _ what: String, _ name: (Int) -> String
  ) throws(EvaluationError) -> [Double] {
    var norms: [Double] = []
    norms.reserveCapacity(rows.count / width)
    for i in 0..<rows.count / width {
      let norm = rows.withUnsafeBufferPointer {
        product($0.baseAddress! + i * width, $0.baseAddress! + i * width, width).squareRoot()
      }
      guard norm.isFinite else { throw EvaluationError("The \(what) '\(name(i))' holds a value that is not finite") }
      guard norm > 0 else { throw EvaluationError("The \(what) '\(name(i))' is all zeros and has no direction") }
      norms.append(norm)
    }
    return norms
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
