import VectorKernels

/// The projection: every row keeps its direction and takes the mean of all norms.
///
///     n = sqrt(sum w^2 + 1e-10)        scale = mean of n over all classes        f = scale / n        W' = f W
///
/// Rank 0 finds `scale` and the factors; the trainer sends both to the other ranks; every rank calls `apply(scale:)`.
/// One IEEE multiplication per element: replicas stay equal to the last bit. With sharded classes each rank adds up
/// `rowNormSum()` of its own, the trainer reduces one number, and factors stay where their rows are.
extension LargeMarginCosineLoss {
  /// Inside the square root of a row's norm.
  package static let epsilon = 1e-10

  /// The sum of the rows' norms, in Double. No pass over W after an updating backward; else one read.
  ///
  /// After a sampled step the rows that had no part in it count with `scale`, the norm that they stand for.
  package func rowNormSum() -> Double {
    if !hasCurrentNorms {
      materialize()
      gatherNorms()
    }
    if let activeRows {
      return activeRows.reduce(Double(rowCount - activeRows.count) * scale) {
        $0 + Double(normMemory.elements[Int($1)])
      }
    }
    return normMemory.elements.reduce(0.0) { $0 + Double($1) }
  }

  /// The norms of all rows as they are in memory. One read of W.
  func gatherNorms() {
    let values = classWeight.value.baseAddress!
    Parallel.ranges(rowCount) { rows in
      for row in rows { normMemory.elements[row] = rowNorm(values + row * width) }
    }
    currentNorms = rowCount
  }

  /// The memory of the N row factors: filled by `computeRowFactors`, or by a broadcast.
  package var rowFactors: UnsafeMutableBufferPointer<Float> { factorMemory.elements }

  /// Writes each row's factor, f = scale / n, n its norm, to `rowFactors`.
  ///
  /// Before that, factors that are still pending are applied to W, and norms that are out of date are gathered: up to one
  /// pass over W. Sampled, it does nothing: a step computes the factors of the rows that it takes.
  package func computeRowFactors(scale: Double) throws(HeadError) {
    guard scale.isFinite, scale > 0 else { throw .nonFiniteScale(scale) }
    if isSampled { return }
    _ = rowNormSum()
    Parallel.ranges(rowCount) { rows in
      for row in rows { factorMemory.elements[row] = Float(scale / Double(normMemory.elements[row])) }
    }
  }

  /// Gives every row the norm `scale`, by the factors in `rowFactors`.
  ///
  /// No pass over W: the next forward multiplies each block while it is in the cache, with the same result to the bit.
  /// The rows must not be pending when `rowFactors` is written: `materialize()` first.
  package func apply(scale: Double) {
    precondition(!isPending, "Row factors upon row factors that were not applied yet")
    self.scale = scale
    if isSampled { return }
    isPending = true
    currentNorms = 0
  }

  /// Takes rows that came from a checkpoint, projected already, for what they are: nothing is multiplied.
  package func restore(scale: Double) {
    self.scale = scale
    isPending = false
    currentNorms = 0
    activeRows = nil
  }

  /// Multiplies the rows in memory by factors that are pending: before anything but this class reads W.
  ///
  /// One read and one write of W, or nothing.
  package func materialize() {
    guard isPending else { return }
    let values = classWeight.value.baseAddress!
    Parallel.ranges(rowCount) { rows in
      for row in rows {
        multiply(values + row * width, by: factorMemory.elements[row], into: values + row * width, count: width)
      }
    }
    isPending = false
    currentNorms = 0
  }

  /// For whoever wrote W from outside (loading, SGD over the store): norms are old. Materialize before writing.
  package func valueChanged() {
    precondition(!isPending, "W was written while row factors were pending.")
    currentNorms = 0
  }

  /// The whole projection on one rank: to the mean norm, or to `norm` at the start of a run.
  package func renormalize(to norm: Double? = nil) throws(HeadError) {
    let target = norm ?? rowNormSum() / Double(rowCount)
    try computeRowFactors(scale: target)
    apply(scale: target)
  }

  /// n of one row: sums in 32 Floats, joined in Double. Every path takes this one, so the bits agree.
  func rowNorm(_ row: UnsafePointer<Float>) -> Float {
    var (a, b, c, d) = (SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero)
    var k = 0
    while k &+ 32 <= width {
      let (p, q, r, s) = (
        SIMD8(from: row + k), SIMD8(from: row + (k &+ 8)), SIMD8(from: row + (k &+ 16)), SIMD8(from: row + (k &+ 24))
      )
      a.addProduct(p, p)
      b.addProduct(q, q)
      c.addProduct(r, r)
      d.addProduct(s, s)
      k &+= 32
    }
    var sum = 0.0
    for lane in 0..<8 { sum += Double(a[lane]) + Double(b[lane]) + Double(c[lane]) + Double(d[lane]) }
    while k < width {
      sum += Double(row[k]) * Double(row[k])
      k &+= 1
    }
    return Float((sum + Self.epsilon).squareRoot())
  }
}
