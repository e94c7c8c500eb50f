import VectorKernels

/// A 3 x 3 convolution by Winograd's F(2 x 2, 3 x 3), over pieces of a batch: see `WinogradTiles`.
///
/// T = tiles of a block, C = channels in, O = channels out. Backward to the input's gradient is the same with the
/// weight turned round and C and O exchanged.
///
///     V (16, T, C) = B' d B        M (16, T, O) = V U, position by position        y = A' M A
///
/// V and M of a block stay in a core's cache; U (16, C, O) passes once per block: 32 T C O operations. One read of x
/// (each vector up to four times, from the cache) and one write of y.
final class WinogradConvolution: ImageConvolution {
  let implementation = "winograd:F(2x2,3x3)"

  private let weight: WinogradWeight
  private let bias: UnsafeMutablePointer<Float>?
  private let from: Tensor
  private let to: Tensor
  private let tiles: WinogradTiles
  private let scratch: Scratch
  /// C and O
  private let inputs: Int
  private let outputs: Int
  /// Floats between V's rows, between V's and between M's planes, and of both together.
  private let rowStride: Int
  private let inputPlane: Int
  private let outputPlane: Int
  private let workspace: Int

  /// T: eight tiles of rows for each panel of U that comes into the first-level cache.
  private static let blockTiles = 8 * TileProduct.rows

  /// Whether F(2 x 2, 3 x 3) computes this layer, and with clearly fewer products: not where most of a tile is padding.
  static func suits(_ layer: ConvolutionGeometry, _ input: Shape) -> Bool {
    let tiles = WinogradTiles(height: input.height, width: input.width)
    return input.layout == .blocked
      && layer.kernel == 3 && layer.stride == 1 && layer.padding == 1 && layer.groups == 1
      && layer.inputs % TileProduct.columns == 0 && layer.outputs % TileProduct.columns == 0
      && 10 * WinogradTiles.positions * tiles.perImage <= 8 * 9 * input.positions
  }

  init(
    from: Tensor, to: Tensor, weight: WinogradWeight, bias: Parameter?, scratch: Scratch
  ) {
    precondition(
      weight.inputs == from.shape.channels && weight.outputs == to.shape.channels,
      "A weight of \(weight.inputs) to \(weight.outputs) channels from \(from.shape) to \(to.shape)")
    self.weight = weight
    self.scratch = scratch
    self.bias = bias?.value.baseAddress
    self.from = from
    self.to = to
    tiles = WinogradTiles(height: from.shape.height, width: from.shape.width)
    inputs = weight.inputs
    outputs = weight.outputs
    rowStride = WinogradTiles.oddLines(inputs)
    inputPlane = WinogradTiles.oddLines(Self.blockTiles * rowStride)
    outputPlane = WinogradTiles.oddLines(Self.blockTiles * outputs)
    workspace = WinogradTiles.positions * (inputPlane + outputPlane)
    scratch.reserve(.primitive, bytes: Parallel.threads * workspace * MemoryLayout<Float>.size)
  }

  func prepareWeight() { weight.transform() }

  func execute(_ images: Range<Int>) {
    let perImage = tiles.perImage
    let all = (images.lowerBound * perImage)..<(images.upperBound * perImage)
    let blocks = (all.count + Self.blockTiles - 1) / Self.blockTiles
    let (x, y) = (from.base(images), to.base(images))
    let (lanes, kernels) = (DNN.channelBlock, Kernels.chosen)
    Parallel.ranges(blocks) { range in
      let v = scratch[.primitive] + Parallel.part * workspace
      let m = v + WinogradTiles.positions * inputPlane
      for block in range {
        let start = all.lowerBound + block * Self.blockTiles
        let mine = start..<min(start + Self.blockTiles, all.upperBound)
        kernels.transformInputs(
          tiles, mine, 0..<inputs / lanes, of: inputs / lanes, x, into: v, rowStride: rowStride, plane: inputPlane)
        multiply(v, count: mine.count, into: m)
        kernels.transformOutputs(
          tiles, mine, groups: outputs / lanes, m, rowStride: outputs, plane: outputPlane, bias: bias, into: y)
      }
    }
  }

  private func multiply(_ v: UnsafePointer<Float>, count: Int, into m: UnsafeMutablePointer<Float>) {
    let (tile, panel, depth) = (TileProduct.rows, TileProduct.columns, TileProduct.depth)
    let kernels = Kernels.chosen
    for position in 0..<WinogradTiles.positions {
      let rows = v + position * inputPlane
      let result = m + position * outputPlane
      for first in stride(from: 0, to: outputs, by: panel) {
        let columns = weight.panel(position, first)
        for step in stride(from: 0, to: inputs, by: depth) {
          for row in stride(from: 0, to: count, by: tile) {
            kernels.multiplyRows(
              steps: min(depth, inputs - step), rows + (row &* rowStride &+ step), rowStride: rowStride,
              columns + step &* panel, stepStride: panel, adding: step > 0, into: result + (row &* outputs &+ first),
              leading: outputs)
          }
        }
      }
    }
  }
}
