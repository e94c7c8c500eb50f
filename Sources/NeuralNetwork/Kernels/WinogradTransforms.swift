import VectorKernels
import WideKernels

/// Winograd's transforms of a layer's images, in the widest registers that this processor has: a vector is a block of
/// channels as oneDNN lays them out, 8 with AVX2 and 16 with AVX-512.
struct WinogradTransforms {
  let tiles: WinogradTiles

  init(_ shape: Shape) {
    tiles = WinogradTiles(height: shape.height, width: shape.width)
  }

  /// Channels of a block.
  static var lanes: Int { DNN.channelBlock }

  /// Whether F(2 x 2, 3 x 3) computes this layer, and with clearly fewer products: not where most of a tile is padding.
  static func suit(_ layer: ConvolutionGeometry, _ shape: Shape) -> Bool {
    let tiles = WinogradTiles(height: shape.height, width: shape.width)
    return shape.layout == .blocked
      && layer.kernel == 3 && layer.stride == 1 && layer.padding == 1 && layer.groups == 1
      && layer.inputs % TileProduct.columns == 0 && layer.outputs % TileProduct.columns == 0
      && 10 * WinogradTiles.positions * tiles.perImage <= 8 * 9 * shape.positions
  }

  /// V (16, T, C) of the tiles of `range` and the blocks `groups` of `count`.
  func inputs(
    _ range: Range<Int>, _ groups: Range<Int>, of count: Int, _ x: UnsafePointer<Float>,
    into v: UnsafeMutablePointer<Float>, rowStride: Int, plane: Int
  ) {
    if DNN.isWide {
      WideTransforms.inputs(tiles, range, groups, of: count, x, into: v, rowStride: rowStride, plane: plane)
    } else {
      tiles.transformInputs(
        SIMD8<Float>.self, range, groups, of: count, x, into: v, rowStride: rowStride, plane: plane)
    }
  }

  /// Z (16, O / columns, T, columns) likewise.
  func gradients(
    _ range: Range<Int>, _ groups: Range<Int>, of count: Int, _ dy: UnsafePointer<Float>,
    into z: UnsafeMutablePointer<Float>, panel: Int, plane: Int
  ) {
    if DNN.isWide {
      WideTransforms.gradients(tiles, range, groups, of: count, dy, into: z, panel: panel, plane: plane)
    } else {
      tiles.transformGradients(SIMD8<Float>.self, range, groups, of: count, dy, into: z, panel: panel, plane: plane)
    }
  }

  /// y from M (16, T, O) of the tiles of `range`.
  func outputs(
    _ range: Range<Int>, groups count: Int, _ m: UnsafePointer<Float>, rowStride: Int, plane: Int,
    bias: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>
  ) {
    if DNN.isWide {
      WideTransforms.outputs(
        tiles, range, groups: count, m, rowStride: rowStride, plane: plane, bias: bias, into: y)
    } else {
      tiles.transformOutputs(
        SIMD8<Float>.self, range, groups: count, m, rowStride: rowStride, plane: plane, bias: bias, into: y)
    }
  }
}
