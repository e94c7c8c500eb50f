import VectorKernels

/// A 3 x 3 convolution by Winograd's F(4 x 4, 3 x 3), over pieces of a batch: see `WinogradTiles`.
///
/// T = tiles of a block, C = channels in, O = channels out, P = outputs of a panel. Backward to the input's gradient is
/// the same with the weight turned round and C and O exchanged.
///
///     V (36, T, C) = B' d B        M (36, T, O) = V U, position by position        y = A' M A
///
/// Where U is made whole, V and M of a block stay in a core's cache and U (36, C, O) passes once per block: 72 T C O
/// operations. Else V (36, T, C) passes once per panel, while pieces of U and M (36, T, P) stay in the cache. One read of
/// x (each vector up to four times, from the cache) and one write of y.
final class WinogradConvolution: ImageConvolution {
  let implementation = "winograd:F(4x4,3x3)"

  private let weight: WinogradWeight
  private let bias: UnsafeMutablePointer<Float>?
  /// What d is of x, where it is not x.
  private let map: ChannelMap?
  private let from: Tensor
  private let to: Tensor
  private let tiles: WinogradTiles
  private let scratch: Scratch
  /// C and O
  private let inputs: Int
  private let outputs: Int
  /// T
  private let blockTiles: Int
  /// Floats between V's rows and planes, between M's, and between the planes of a piece of U.
  private let inputRow: Int
  private let inputPlane: Int
  private let outputRow: Int
  private let outputPlane: Int
  private let weightPlane: Int
  /// Of a thread: V, M and a piece of U.
  private let workspace: Int

  /// Whether Winograd's filtering computes this layer, and with clearly fewer products: not where most of a tile is
  /// padding.
  static func suits(_ layer: ConvolutionGeometry, _ input: Shape) -> Bool {
    let tiles = WinogradTiles(height: input.height, width: input.width)
    return input.layout == .blocked
      && layer.kernel == 3 && layer.stride == 1 && layer.padding == 1 && layer.groups == 1
      && layer.inputs % TileProduct.columns == 0 && layer.outputs % TileProduct.columns == 0
      && 10 * tiles.products <= 8 * 9 * input.positions
  }

  /// T for a weight of so many channels: many tiles for each time that a thread makes U.
  private static func blockTiles(_ inputs: Int, _ outputs: Int) -> Int {
    (WinogradWeight.isWhole(inputs, outputs) ? 3 : 22) * TileProduct.rows
  }

  /// Images that fill a block.
  static func blockImages(_ layer: ConvolutionGeometry, _ input: Shape) -> Int {
    let perImage = WinogradTiles(height: input.height, width: input.width).perImage
    return (blockTiles(layer.inputs, layer.outputs) + perImage - 1) / perImage
  }

  init(
    from: Tensor, map: ChannelMap?, to: Tensor, weight: WinogradWeight, bias: Parameter?, scratch: Scratch
  ) {
    precondition(
      weight.inputs == from.shape.channels && weight.outputs == to.shape.channels,
      "A weight of \(weight.inputs) to \(weight.outputs) channels from \(from.shape) to \(to.shape)")
    self.weight = weight
    self.scratch = scratch
    self.bias = bias?.value.baseAddress
    self.map = map
    self.from = from
    self.to = to
    tiles = WinogradTiles(height: from.shape.height, width: from.shape.width)
    inputs = weight.inputs
    outputs = weight.outputs
    // Not more than a thread gets of a batch.
    let (threads, tile) = (Parallel.threads, TileProduct.rows)
    let share = (from.batch + threads - 1) / threads * tiles.perImage
    blockTiles = min(Self.blockTiles(inputs, outputs), (share + tile - 1) / tile * tile)
    inputRow = WinogradTiles.oddLines(inputs)
    inputPlane = WinogradTiles.oddLines(blockTiles * inputRow)
    outputRow = weight.isWhole ? outputs : TileProduct.columns
    outputPlane = WinogradTiles.oddLines(blockTiles * outputRow)
    weightPlane =
      weight.isWhole ? 0 : WinogradTiles.oddLines(min(TileProduct.depth, inputs) * TileProduct.columns)
    workspace = WinogradTiles.positions * (inputPlane + outputPlane + weightPlane)
    scratch.reserve(.primitive, bytes: threads * workspace * MemoryLayout<Float>.size)
  }

  func prepareWeight() { weight.transform() }

  func execute(_ images: Range<Int>) {
    let first = images.lowerBound * tiles.perImage
    let count = images.count * tiles.perImage
    let (x, y) = (from.base(images), to.base(images))
    let (lanes, kernels) = (DNN.channelBlock, Kernels.chosen)
    // As many blocks for each thread.
    let threads = Parallel.isInside ? 1 : Parallel.threads
    let blocks = (count + blockTiles * threads - 1) / (blockTiles * threads) * threads
    Parallel.ranges(blocks) { range in
      let v = scratch[.primitive] + Parallel.part * workspace
      let m = v + WinogradTiles.positions * inputPlane
      for block in range {
        let share = Share.range(of: count, block, blocks)
        if share.isEmpty { continue }
        let mine = (first + share.lowerBound)..<(first + share.upperBound)
        kernels.transformInputs(
          tiles, mine, 0..<inputs / lanes, of: inputs / lanes, x, map: map, into: v,
          rowStride: inputRow, plane: inputPlane)
        let counts = tiles.counts(mine)
        if weight.isWhole {
          multiply(v, counts: counts, into: m)
          transform(m, mine, outputs: 0..<outputs, into: y)
          continue
        }
        let u = m + WinogradTiles.positions * outputPlane
        for panel in stride(from: 0, to: outputs, by: TileProduct.columns) {
          multiply(v, counts: counts, panel: panel, u, into: m)
          transform(m, mine, outputs: panel..<panel + TileProduct.columns, into: y)
        }
      }
    }
  }

  private func transform(
    _ m: UnsafePointer<Float>, _ mine: Range<Int>, outputs channels: Range<Int>, into y: UnsafeMutablePointer<Float>
  ) {
    let lanes = DNN.channelBlock
    Kernels.chosen.transformOutputs(
      tiles, mine, channels.lowerBound / lanes..<channels.upperBound / lanes, of: outputs / lanes, m,
      rowStride: outputRow, plane: outputPlane, bias: bias, into: y)
  }

  /// M of all outputs by the whole U.
  private func multiply(_ v: UnsafePointer<Float>, counts: SIMD4<Int>, into m: UnsafeMutablePointer<Float>) {
    let (panel, depth) = (TileProduct.columns, TileProduct.depth)
    for position in 0..<WinogradTiles.positions {
      for first in stride(from: 0, to: outputs, by: panel) {
        let columns = weight.panel(position, first)
        for step in stride(from: 0, to: inputs, by: depth) {
          multiply(v, counts: counts, position: position, step: step, columns + step &* panel, into: m + first)
        }
      }
    }
  }

  /// M of one panel by pieces of U made now.
  private func multiply(
    _ v: UnsafePointer<Float>, counts: SIMD4<Int>, panel: Int, _ u: UnsafeMutablePointer<Float>,
    into m: UnsafeMutablePointer<Float>
  ) {
    for step in stride(from: 0, to: inputs, by: TileProduct.depth) {
      weight.transform(
        outputs: panel, inputs: step, count: min(TileProduct.depth, inputs - step), into: u, plane: weightPlane)
      for position in 0..<WinogradTiles.positions {
        multiply(v, counts: counts, position: position, step: step, u + position * weightPlane, into: m)
      }
    }
  }

  /// The products of a position over the inputs `step`..., added to those of earlier ones.
  @inline(__always)
  private func multiply(
    _ v: UnsafePointer<Float>, counts: SIMD4<Int>, position: Int, step: Int, _ columns: UnsafePointer<Float>,
    into m: UnsafeMutablePointer<Float>
  ) {
    let kernels = Kernels.chosen
    let rows = v + (position &* inputPlane &+ step)
    let result = m + position &* outputPlane
    for row in stride(from: 0, to: counts[WinogradTiles.kind(position)], by: TileProduct.rows) {
      kernels.multiplyRows(
        steps: min(TileProduct.depth, inputs - step), rows + row &* inputRow, rowStride: inputRow, columns,
        stepStride: TileProduct.columns, adding: step > 0, into: result + row &* outputRow, leading: outputRow)
    }
  }
}
