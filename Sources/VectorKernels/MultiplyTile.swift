/// C (6, 2 L) = A (6, T) B (T, 2 L), or C += A B, for vectors of L lanes: the inner kernel of the matrix products.
///
/// A[r, t] = a[r * rowA + t * stepA], read one element at a time, so that it is never packed.  B's rows are `stepB`
/// apart, C's `leading`.
///
/// Per step 2 loads of B, 6 broadcasts of A, 12 fused multiply-adds in 12 sums: the two multipliers of a core are busy
/// 6 cycles, its two load ports 4.  With B and A the sums fill 15 of AVX2's 16 registers.  The sum starts from zero
/// and is added to C at the end, which keeps chains of rounding short when C gathers many tiles.
///
/// Inlined, so that the stride that is 1 becomes part of the addresses.
@inlinable @inline(__always)
package func multiplyTile<Vector: FloatVector>(
  _: Vector.Type, _ steps: Int, _ a: UnsafePointer<Float>, _ rowA: Int, stepA: Int, _ b: UnsafePointer<Float>,
  _ stepB: Int, _ adding: Bool, _ c: UnsafeMutablePointer<Float>, _ leading: Int
) {
  var c00 = Vector.zero
  var (c01, c10, c11, c20, c21) = (c00, c00, c00, c00, c00)
  var (c30, c31, c40, c41, c50, c51) = (c00, c00, c00, c00, c00, c00)
  let (a0, a1, a2) = (a, a + rowA, a + 2 &* rowA)
  let (a3, a4, a5) = (a + 3 &* rowA, a + 4 &* rowA, a + 5 &* rowA)
  var pointerB = b
  var offset = 0
  var step = 0
  while step < steps {
    let b0 = Vector(from: pointerB)
    let b1 = Vector(from: pointerB + Vector.lanes)
    var x = Vector(repeating: a0[offset])
    c00.addProduct(x, b0)
    c01.addProduct(x, b1)
    x = Vector(repeating: a1[offset])
    c10.addProduct(x, b0)
    c11.addProduct(x, b1)
    x = Vector(repeating: a2[offset])
    c20.addProduct(x, b0)
    c21.addProduct(x, b1)
    x = Vector(repeating: a3[offset])
    c30.addProduct(x, b0)
    c31.addProduct(x, b1)
    x = Vector(repeating: a4[offset])
    c40.addProduct(x, b0)
    c41.addProduct(x, b1)
    x = Vector(repeating: a5[offset])
    c50.addProduct(x, b0)
    c51.addProduct(x, b1)
    pointerB += stepB
    offset &+= stepA
    step &+= 1
  }
  write(c00, c01, adding, c)
  write(c10, c11, adding, c + leading)
  write(c20, c21, adding, c + 2 &* leading)
  write(c30, c31, adding, c + 3 &* leading)
  write(c40, c41, adding, c + 4 &* leading)
  write(c50, c51, adding, c + 5 &* leading)
}

@inlinable @inline(__always)
func write<Vector: FloatVector>(
  _ low: Vector, _ high: Vector, _ adding: Bool, _ c: UnsafeMutablePointer<Float>
) {
  (adding ? Vector(from: c) + low : low).store(to: c)
  (adding ? Vector(from: c + Vector.lanes) + high : high).store(to: c + Vector.lanes)
}
