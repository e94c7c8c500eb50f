import VectorKernels

/// `multiplyTile` in AVX-512's registers, tiles of 6 x 32, and `innerProducts`. See `TileProduct` and `RowProduct`, which
/// choose.
package enum WideProduct {
  @inline(never)
  package static func multiplyRows(
    steps: Int, _ a: UnsafePointer<Float>, rowStride: Int, _ b: UnsafePointer<Float>, stepStride: Int,
    adding: Bool, into c: UnsafeMutablePointer<Float>, leading: Int
  ) {
    multiplyTile(SIMD16<Float>.self, steps, a, rowStride, stepA: 1, b, stepStride, adding, c, leading)
  }

  @inline(never)
  package static func multiplyColumns(
    steps: Int, _ a: UnsafePointer<Float>, columnStride: Int, _ b: UnsafePointer<Float>, stepStride: Int,
    adding: Bool, into c: UnsafeMutablePointer<Float>, leading: Int
  ) {
    multiplyTile(SIMD16<Float>.self, steps, a, 1, stepA: columnStride, b, stepStride, adding, c, leading)
  }
  @inline(never)
  package static func innerProducts(
    _ count: Int, _ a: UnsafePointer<Float>, strideA: Int, rowsA: Int, _ b: UnsafePointer<Float>, strideB: Int,
    rowsB: Int, into c: UnsafeMutablePointer<Float>
  ) {
    VectorKernels.innerProducts(
      SIMD16<Float>.self, count, a, strideA: strideA, rowsA: rowsA, b, strideB: strideB, rowsB: rowsB, into: c)
  }
}
