/// The inner kernel of the classifier's products: a tile of 6 x 16 results in 12 of AVX2's 16 registers.
///
/// C (6, 16) = A (6, T) B (T, 16), or C += A B.  A is read one element at a time, so it is never packed: rows of the
/// class weight serve as they lie in memory.  Per step 2 loads of B, 6 broadcasts of A, 12 fused multiply-adds: the two
/// multipliers of a core are busy 6 cycles, its two load ports 4.  The sum starts from zero and is added to C at the
/// end, which keeps chains of rounding short when C gathers many tiles.
enum TileProduct {
  static let rows = 6
  static let columns = 16

  /// A's rows lie along the steps: A[r, t] = a[r * rowStride + t].
  static func multiplyRows(
    steps: Int, _ a: UnsafePointer<Float>, rowStride: Int, _ b: UnsafePointer<Float>, stepStride: Int,
    adding: Bool, into c: UnsafeMutablePointer<Float>, leading: Int
  ) {
    multiply(
      steps, a, rowStride, stepA: 1, b, stepStride, adding, c, leading)
  }

  /// A's columns lie along the steps: A[r, t] = a[t * columnStride + r].
  static func multiplyColumns(
    steps: Int, _ a: UnsafePointer<Float>, columnStride: Int, _ b: UnsafePointer<Float>, stepStride: Int,
    adding: Bool, into c: UnsafeMutablePointer<Float>, leading: Int
  ) {
    multiply(
      steps, a, 1, stepA: columnStride, b, stepStride, adding, c, leading)
  }

  /// Inlined into the two above, so that the stride that is 1 becomes part of the addresses.
  @inline(__always)
  private static func multiply(
    _ steps: Int, _ a: UnsafePointer<Float>, _ rowA: Int, stepA: Int, _ b: UnsafePointer<Float>, _ stepB: Int,
    _ adding: Bool, _ c: UnsafeMutablePointer<Float>, _ leading: Int
  ) {
    var c00 = SIMD8<Float>.zero
    var (c01, c10, c11, c20, c21) = (c00, c00, c00, c00, c00)
    var (c30, c31, c40, c41, c50, c51) = (c00, c00, c00, c00, c00, c00)
    let (a0, a1, a2) = (a, a + rowA, a + 2 &* rowA)
    let (a3, a4, a5) = (a + 3 &* rowA, a + 4 &* rowA, a + 5 &* rowA)
    var pointerB = b
    var offset = 0
    for _ in 0..<steps {
      let b0 = load8(pointerB)
      let b1 = load8(pointerB + 8)
      var x = SIMD8(repeating: a0[offset])
      c00.addProduct(x, b0)
      c01.addProduct(x, b1)
      x = SIMD8(repeating: a1[offset])
      c10.addProduct(x, b0)
      c11.addProduct(x, b1)
      x = SIMD8(repeating: a2[offset])
      c20.addProduct(x, b0)
      c21.addProduct(x, b1)
      x = SIMD8(repeating: a3[offset])
      c30.addProduct(x, b0)
      c31.addProduct(x, b1)
      x = SIMD8(repeating: a4[offset])
      c40.addProduct(x, b0)
      c41.addProduct(x, b1)
      x = SIMD8(repeating: a5[offset])
      c50.addProduct(x, b0)
      c51.addProduct(x, b1)
      pointerB += stepB
      offset &+= stepA
    }
    write(c00, c01, adding, c)
    write(c10, c11, adding, c + leading)
    write(c20, c21, adding, c + 2 &* leading)
    write(c30, c31, adding, c + 3 &* leading)
    write(c40, c41, adding, c + 4 &* leading)
    write(c50, c51, adding, c + 5 &* leading)
  }

  @inline(__always)
  private static func write(
    _ low: SIMD8<Float>, _ high: SIMD8<Float>, _ adding: Bool, _ c: UnsafeMutablePointer<Float>
  ) {
    store8(adding ? load8(c) + low : low, c)
    store8(adding ? load8(c + 8) + high : high, c + 8)
  }
}

/// Eight Floats from any address.
@inline(__always)
func load8(_ pointer: UnsafePointer<Float>) -> SIMD8<Float> {
  UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Float>.self)
}

/// Eight Floats to any address.
@inline(__always)
func store8(_ value: SIMD8<Float>, _ pointer: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(pointer).storeBytes(of: value, as: SIMD8<Float>.self)
}
