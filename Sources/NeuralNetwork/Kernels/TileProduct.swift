import VectorKernels
import WideKernels

/// The inner kernel of the classifier's and of Winograd's products: a tile of 6 rows by two vectors, as `multiplyTile`
/// computes it, in the widest registers that this processor has.
enum TileProduct {
  static let rows = 6
  /// 16 with AVX2, 32 with AVX-512.
  static let columns = 2 * (DNN.isWide ? SIMD16<Float>.lanes : SIMD8<Float>.lanes)
  /// Steps of a panel of B, 16 KB of it: half of a first-level cache, where it stays while all tiles of rows pass.
  static let depth = 4_096 / columns

  /// A's rows lie along the steps: A[r, t] = a[r * rowStride + t].
  static func multiplyRows(
    steps: Int, _ a: UnsafePointer<Float>, rowStride: Int, _ b: UnsafePointer<Float>, stepStride: Int,
    adding: Bool, into c: UnsafeMutablePointer<Float>, leading: Int
  ) {
    if DNN.isWide {
      WideProduct.multiplyRows(
        steps: steps, a, rowStride: rowStride, b, stepStride: stepStride, adding: adding, into: c, leading: leading)
    } else {
      multiplyTile(SIMD8<Float>.self, steps, a, rowStride, stepA: 1, b, stepStride, adding, c, leading)
    }
  }

  /// A's columns lie along the steps: A[r, t] = a[t * columnStride + r].
  static func multiplyColumns(
    steps: Int, _ a: UnsafePointer<Float>, columnStride: Int, _ b: UnsafePointer<Float>, stepStride: Int,
    adding: Bool, into c: UnsafeMutablePointer<Float>, leading: Int
  ) {
    if DNN.isWide {
      WideProduct.multiplyColumns(
        steps: steps, a, columnStride: columnStride, b, stepStride: stepStride, adding: adding, into: c,
        leading: leading)
    } else {
      multiplyTile(SIMD8<Float>.self, steps, a, 1, stepA: columnStride, b, stepStride, adding, c, leading)
    }
  }
}
