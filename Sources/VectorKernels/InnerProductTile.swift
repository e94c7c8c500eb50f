/// c (4, 3): the inner products of four rows of A with three of B, each over the same `count` values.
///
/// A's rows are `strideA` apart, B's `strideB`. Where fewer are there (`rowsA`, `rowsB`, at least one), the last is read
/// again, and what the others of c hold means nothing. So the bits of an inner product depend on its two rows alone.
///
/// Per step 3 loads of B, 4 of A and 12 fused multiply-adds in 12 sums: with B they fill 15 of AVX2's 16 registers.
@inlinable @inline(__always)
package func innerProducts<Vector: FloatVector>(
  _: Vector.Type, _ count: Int, _ a: UnsafePointer<Float>, strideA: Int, rowsA: Int, _ b: UnsafePointer<Float>,
  strideB: Int, rowsB: Int, into c: UnsafeMutablePointer<Float>
) {
  let (a0, a1) = (a, a + min(1, rowsA &- 1) &* strideA)
  let (a2, a3) = (a + min(2, rowsA &- 1) &* strideA, a + min(3, rowsA &- 1) &* strideA)
  let (b0, b1, b2) = (b, b + min(1, rowsB &- 1) &* strideB, b + min(2, rowsB &- 1) &* strideB)
  var c00 = Vector.zero
  var (c01, c02, c10, c11, c12) = (c00, c00, c00, c00, c00)
  var (c20, c21, c22, c30, c31, c32) = (c00, c00, c00, c00, c00, c00)
  var i = 0
  while i &+ Vector.lanes <= count {
    let (y0, y1, y2) = (Vector(from: b0 + i), Vector(from: b1 + i), Vector(from: b2 + i))
    var x = Vector(from: a0 + i)
    c00.addProduct(x, y0)
    c01.addProduct(x, y1)
    c02.addProduct(x, y2)
    x = Vector(from: a1 + i)
    c10.addProduct(x, y0)
    c11.addProduct(x, y1)
    c12.addProduct(x, y2)
    x = Vector(from: a2 + i)
    c20.addProduct(x, y0)
    c21.addProduct(x, y1)
    c22.addProduct(x, y2)
    x = Vector(from: a3 + i)
    c30.addProduct(x, y0)
    c31.addProduct(x, y1)
    c32.addProduct(x, y2)
    i &+= Vector.lanes
  }
  c[0] = finish(c00, a0, b0, i, count)
  c[1] = finish(c01, a0, b1, i, count)
  c[2] = finish(c02, a0, b2, i, count)
  c[3] = finish(c10, a1, b0, i, count)
  c[4] = finish(c11, a1, b1, i, count)
  c[5] = finish(c12, a1, b2, i, count)
  c[6] = finish(c20, a2, b0, i, count)
  c[7] = finish(c21, a2, b1, i, count)
  c[8] = finish(c22, a2, b2, i, count)
  c[9] = finish(c30, a3, b0, i, count)
  c[10] = finish(c31, a3, b1, i, count)
  c[11] = finish(c32, a3, b2, i, count)
}

/// Adds the products that fill no vector.
@inlinable @inline(__always)
func finish<Vector: FloatVector>(
  _ sums: Vector, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ start: Int, _ count: Int
) -> Float {
  var sum = sums.laneSum
  var i = start
  while i < count {
    sum += a[i] * b[i]
    i &+= 1
  }
  return sum
}
