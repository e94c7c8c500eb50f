package import VectorKernels

/// The transforms of Winograd's tiles in AVX-512's registers, for images in blocks of 16 channels.
package enum WideTransforms {
  @inline(never)
  package static func inputs(
    _ tiles: WinogradTiles, _ range: Range<Int>, _ groups: Range<Int>, of count: Int, _ x: UnsafePointer<Float>,
    into v: UnsafeMutablePointer<Float>, rowStride: Int, plane: Int
  ) {
    tiles.transformInputs(
      SIMD16<Float>.self, range, groups, of: count, x, into: v, rowStride: rowStride, plane: plane)
  }

  @inline(never)
  package static func gradients(
    _ tiles: WinogradTiles, _ range: Range<Int>, _ groups: Range<Int>, of count: Int, _ dy: UnsafePointer<Float>,
    into z: UnsafeMutablePointer<Float>, panel: Int, plane: Int
  ) {
    tiles.transformGradients(SIMD16<Float>.self, range, groups, of: count, dy, into: z, panel: panel, plane: plane)
  }

  @inline(never)
  package static func outputs(
    _ tiles: WinogradTiles, _ range: Range<Int>, groups count: Int, _ m: UnsafePointer<Float>, rowStride: Int,
    plane: Int, bias: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>
  ) {
    tiles.transformOutputs(
      SIMD16<Float>.self, range, groups: count, m, rowStride: rowStride, plane: plane, bias: bias, into: y)
  }
}
