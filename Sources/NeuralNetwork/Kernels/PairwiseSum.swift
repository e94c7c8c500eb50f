import VectorKernels

/// The sum of P rows, pair by pair: (0 + 1) + (2 + 3) and so on up a binomial tree; a row without a partner moves up.
///
/// The order depends on P alone, and so do the bits of the result. Its error grows with log P, not with P.
package enum PairwiseSum {
  /// Leaves the sum of the first `count` elements of all `rows` in row 0; the others hold partial sums afterwards.
  package static func add(_ rows: UnsafePointer<UnsafeMutablePointer<Float>>, rowCount: Int, count: Int) {
    var distance = 1
    while distance < rowCount {
      for row in stride(from: 0, to: rowCount - distance, by: 2 * distance) {
        add(rows[row + distance], to: rows[row], count: count)
      }
      distance *= 2
    }
  }

  static func add(_ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int) {
    var i = 0
    while i &+ 8 <= count {
      (SIMD8(from: y + i) + SIMD8(from: x + i)).store(to: y + i)
      i &+= 8
    }
    while i < count {
      y[i] += x[i]
      i &+= 1
    }
  }
}
