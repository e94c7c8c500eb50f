/// The inner kernels of the matrix products: a tile of C whose sums fill the registers.
extension KernelSet {
  /// A's rows lie along the steps: A[r, t] = a[r * rowStride + t]. See `multiplyTile`.
  @inlinable @inline(__always)
  package static func multiplyRows(
    steps: Int, _ a: UnsafePointer<Float>, rowStride: Int, _ b: UnsafePointer<Float>, stepStride: Int, adding: Bool,
    into c: UnsafeMutablePointer<Float>, leading: Int
  ) {
    multiplyTile(steps, a, rowStride, stepA: 1, b, stepStride, adding, c, leading)
  }

  /// A's columns lie along the steps: A[r, t] = a[t * columnStride + r]. See `multiplyTile`.
  @inlinable @inline(__always)
  package static func multiplyColumns(
    steps: Int, _ a: UnsafePointer<Float>, columnStride: Int, _ b: UnsafePointer<Float>, stepStride: Int, adding: Bool,
    into c: UnsafeMutablePointer<Float>, leading: Int
  ) {
    multiplyTile(steps, a, 1, stepA: columnStride, b, stepStride, adding, c, leading)
  }

  /// C (6, 2 L) = A (6, T) B (T, 2 L), or C += A B, for vectors of L lanes.
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
  static func multiplyTile(
    _ steps: Int, _ a: UnsafePointer<Float>, _ rowA: Int, stepA: Int, _ b: UnsafePointer<Float>,
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
  static func write(
    _ low: Vector, _ high: Vector, _ adding: Bool, _ c: UnsafeMutablePointer<Float>
  ) {
    (adding ? Vector(from: c) + low : low).store(to: c)
    (adding ? Vector(from: c + Vector.lanes) + high : high).store(to: c + Vector.lanes)
  }

  /// c (4, 3): the inner products of four rows of A with three of B, each over the same `count` values.
  ///
  /// A's rows are `strideA` apart, B's `strideB`. Where fewer are there (`rowsA`, `rowsB`, at least one), the last is read
  /// again, and what the others of c hold means nothing. So the bits of an inner product depend on its two rows alone.
  ///
  /// Per step 3 loads of B, 4 of A and 12 fused multiply-adds in 12 sums: with B they fill 15 of AVX2's 16 registers.
  @inlinable @inline(__always)
  package static func innerProducts(
    _ count: Int, _ a: UnsafePointer<Float>, strideA: Int, rowsA: Int, _ b: UnsafePointer<Float>, strideB: Int,
    rowsB: Int, into c: UnsafeMutablePointer<Float>
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
  static func finish(
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
}
