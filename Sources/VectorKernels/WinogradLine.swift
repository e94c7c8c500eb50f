/// Winograd's transforms in one dimension: of 6 inputs and 4 outputs, or short, of 4 and 2.
///
/// With a product of polynomials by its values at the points p = 0, a, -a, b, -b and at infinity (Toom and Cook):
///
///     U(p) = (g0 + p g1 + p^2 g2) / f(p), U(inf) = g2        f(p) = product of p - q over the other points q
///     V(p) = product of x - q over the other points q, with the input d_k in place of x^k
///     y_k = sum of p^k U(p) V(p), y_3 also U(inf) V(inf)
///
/// Short tiles do without b, so that f differs; they take the same U, and V makes up for it. a = 3/4 and b = 3/2 because
/// all constants are exact, and a result of random values is off by 2 to 5 times a direct sum's rounding: half of what 1
/// and 2 give.
@usableFromInline
package enum WinogradLine<Vector: FloatVector> {
  @inlinable @inline(__always) static var a: Float { 0.75 }
  @inlinable @inline(__always) static var b: Float { 1.5 }
  @inlinable @inline(__always) static var aa: Float { 0.5625 }
  @inlinable @inline(__always) static var bb: Float { 2.25 }

  @inlinable @inline(__always)
  static func fill(_ value: Float) -> Vector { Vector(repeating: value) }

  /// V of six inputs: at the first four points to `low`, at the others to `high`, `stride` apart.
  @inlinable @inline(__always)
  static func writeInputs(
    _ x0: Vector, _ x1: Vector, _ x2: Vector, _ x3: Vector, _ x4: Vector, _ x5: Vector,
    _ low: UnsafeMutablePointer<Float>, _ high: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    let evenA = x4.addingProduct(fill(-bb), x2)
    let oddA = x3.addingProduct(fill(-bb), x1)
    let evenB = x4.addingProduct(fill(-aa), x2)
    let oddB = x3.addingProduct(fill(-aa), x1)
    // x^4 - (a^2 + b^2) x^2 + a^2 b^2
    evenB.addingProduct(fill(-bb), x2.addingProduct(fill(-aa), x0)).store(to: low)
    evenA.addingProduct(fill(a), oddA).store(to: low + stride)
    evenA.addingProduct(fill(-a), oddA).store(to: low + 2 &* stride)
    x5.addingProduct(fill(-aa), x3).addingProduct(fill(-bb), oddB).store(to: low + 3 &* stride)
    evenB.addingProduct(fill(b), oddB).store(to: high)
    evenB.addingProduct(fill(-b), oddB).store(to: high + stride)
  }

  /// V of four inputs, times f of six points by f of four.
  @inlinable @inline(__always)
  static func writeShortInputs(
    _ x0: Vector, _ x1: Vector, _ x2: Vector, _ x3: Vector, _ low: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    let even = fill(aa - bb) * x2
    let odd = fill(a * (aa - bb)) * x1
    (fill(-bb) * x2.addingProduct(fill(-aa), x0)).store(to: low)
    (even + odd).store(to: low + stride)
    (even - odd).store(to: low + 2 &* stride)
    x3.addingProduct(fill(-aa), x1).store(to: low + 3 &* stride)
  }

  /// A dy of four outputs' gradients.
  @inlinable @inline(__always)
  static func writeGradients(
    _ y0: Vector, _ y1: Vector, _ y2: Vector, _ y3: Vector, _ low: UnsafeMutablePointer<Float>,
    _ high: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    let (evenA, oddA) = (y0.addingProduct(fill(aa), y2), y1.addingProduct(fill(aa), y3))
    let (evenB, oddB) = (y0.addingProduct(fill(bb), y2), y1.addingProduct(fill(bb), y3))
    y0.store(to: low)
    evenA.addingProduct(fill(a), oddA).store(to: low + stride)
    evenA.addingProduct(fill(-a), oddA).store(to: low + 2 &* stride)
    y3.store(to: low + 3 &* stride)
    evenB.addingProduct(fill(b), oddB).store(to: high)
    evenB.addingProduct(fill(-b), oddB).store(to: high + stride)
  }

  @inlinable @inline(__always)
  static func writeShortGradients(
    _ y0: Vector, _ y1: Vector, _ low: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    y0.store(to: low)
    y0.addingProduct(fill(a), y1).store(to: low + stride)
    y0.addingProduct(fill(-a), y1).store(to: low + 2 &* stride)
    y1.store(to: low + 3 &* stride)
  }

  /// A' m: four outputs.
  @inlinable @inline(__always)
  static func outputs(
    _ low: UnsafePointer<Float>, _ high: UnsafePointer<Float>, _ stride: Int
  ) -> (Vector, Vector, Vector, Vector) {
    let (zero, last) = (Vector(from: low), Vector(from: low + 3 &* stride))
    let (plusA, minusA) = (Vector(from: low + stride), Vector(from: low + 2 &* stride))
    let (plusB, minusB) = (Vector(from: high), Vector(from: high + stride))
    let (evenA, oddA) = (plusA + minusA, plusA - minusA)
    let (evenB, oddB) = (plusB + minusB, plusB - minusB)
    return (
      zero + evenA + evenB,
      (fill(a) * oddA).addingProduct(fill(b), oddB),
      (fill(aa) * evenA).addingProduct(fill(bb), evenB),
      last.addingProduct(fill(a * aa), oddA).addingProduct(fill(b * bb), oddB)
    )
  }

  @inlinable @inline(__always)
  static func shortOutputs(_ low: UnsafePointer<Float>, _ stride: Int) -> (Vector, Vector) {
    let (plus, minus) = (Vector(from: low + stride), Vector(from: low + 2 &* stride))
    return (
      Vector(from: low) + (plus + minus), Vector(from: low + 3 &* stride).addingProduct(fill(a), plus - minus)
    )
  }

  /// G g: U of three taps, in the order of the points.
  @inlinable @inline(__always)
  static func weights(_ g0: Vector, _ g1: Vector, _ g2: Vector) -> WinogradValues<Vector> {
    // 1 / f(a) = 1 / f(-a), and with b
    let (ga, gb) = (fill(1 / (2 * aa * (aa - bb))), fill(1 / (2 * bb * (bb - aa))))
    let (evenA, oddA) = (ga * g0.addingProduct(fill(aa), g2), fill(a / (2 * aa * (aa - bb))) * g1)
    let (evenB, oddB) = (gb * g0.addingProduct(fill(bb), g2), fill(b / (2 * bb * (bb - aa))) * g1)
    return WinogradValues(
      fill(1 / (aa * bb)) * g0, evenA + oddA, evenA - oddA, g2, evenB + oddB, evenB - oddB)
  }

  /// G' u: the gradients of three taps.
  @inlinable @inline(__always)
  static func taps(_ u: WinogradValues<Vector>) -> (Vector, Vector, Vector) {
    let (ga, gb) = (fill(1 / (2 * aa * (aa - bb))), fill(1 / (2 * bb * (bb - aa))))
    let (evenA, evenB) = (ga * (u.v1 + u.v2), gb * (u.v4 + u.v5))
    let odd = (fill(a / (2 * aa * (aa - bb))) * (u.v1 - u.v2)).addingProduct(
      fill(b / (2 * bb * (bb - aa))), u.v4 - u.v5)
    return (
      (evenA + evenB).addingProduct(fill(1 / (aa * bb)), u.v0), odd,
      u.v3.addingProduct(fill(aa), evenA).addingProduct(fill(bb), evenB)
    )
  }
}

/// Values at the six points.
@usableFromInline
struct WinogradValues<Vector: FloatVector> {
  @usableFromInline let v0, v1, v2, v3, v4, v5: Vector

  @inlinable @inline(__always)
  init(_ v0: Vector, _ v1: Vector, _ v2: Vector, _ v3: Vector, _ v4: Vector, _ v5: Vector) {
    (self.v0, self.v1, self.v2) = (v0, v1, v2)
    (self.v3, self.v4, self.v5) = (v3, v4, v5)
  }

  @inlinable @inline(__always)
  init(from start: UnsafePointer<Float>, stride: Int) {
    self.init(
      Vector(from: start), Vector(from: start + stride), Vector(from: start + 2 &* stride),
      Vector(from: start + 3 &* stride), Vector(from: start + 4 &* stride), Vector(from: start + 5 &* stride))
  }

  @inlinable @inline(__always)
  func store(to start: UnsafeMutablePointer<Float>, stride: Int) {
    v0.store(to: start)
    v1.store(to: start + stride)
    v2.store(to: start + 2 &* stride)
    v3.store(to: start + 3 &* stride)
    v4.store(to: start + 4 &* stride)
    v5.store(to: start + 5 &* stride)
  }
}
