import VectorKernels

/// The weight's gradient of a 3 x 3 convolution by the adjoint of Winograd's F(2 x 2, 3 x 3): see `WinogradTiles`.
///
/// T = tiles of a block, C = inputs, O = outputs.
///
///     V (16, T, C) = B' d B        Z (16, T, O) = A dy A'        dU (16, C, O) += V' Z, position by position
///     dg = G' dU G
///
/// Threads share the tiles of a block for the transforms, then the products of all positions and panels: dU exists
/// once, and the sum does not depend on the number of threads.
final class WinogradGradient: ConvolutionGradient {
  let implementation = "winograd:F(2x2,3x3) weights"

  private let layer: ConvolutionGeometry
  private let input: Tensor
  private let outputGradient: Tensor
  private let tiles: WinogradTiles
  private let scratch: Scratch
  /// T
  private let blockTiles: Int
  /// Floats between V's rows and planes, and between Z's panels and planes. Z (16, O / P, T, P)
  private let rowStride: Int
  private let inputPlane: Int
  private let gradientPanel: Int
  private let gradientPlane: Int
  /// Rows of a panel of dU (16, O / P, C, P): whole tiles.
  private let tiledInputs: Int

  init(_ layer: ConvolutionGeometry, input: Tensor, outputGradient: Tensor, scratch: Scratch) {
    self.layer = layer
    self.scratch = scratch
    self.input = input
    self.outputGradient = outputGradient
    tiles = WinogradTiles(height: input.shape.height, width: input.shape.width)
    // V of one position stays in a core's second-level cache while the panels pass.
    blockTiles = layer.inputs >= 256 ? 96 : 192
    rowStride = WinogradTiles.oddLines(layer.inputs + TileProduct.rows)
    inputPlane = WinogradTiles.oddLines(blockTiles * rowStride)
    gradientPanel = blockTiles * TileProduct.columns
    gradientPlane = WinogradTiles.oddLines(layer.outputs / TileProduct.columns * gradientPanel)
    tiledInputs = (layer.inputs + TileProduct.rows - 1) / TileProduct.rows * TileProduct.rows
    let bytes = WinogradTiles.positions * MemoryLayout<Float>.size
    scratch.reserve(.primitive, bytes: bytes * (inputPlane + gradientPlane))
    scratch.reserve(.blockedWeight, bytes: bytes * tiledInputs * layer.outputs)
  }

  func compute() {
    let count = input.batch * tiles.perImage
    let v = scratch[.primitive]
    let z = v + WinogradTiles.positions * inputPlane
    for start in stride(from: 0, to: count, by: blockTiles) {
      let block = start..<min(start + blockTiles, count)
      transform(block, v, z)
      multiply(v, z, count: block.count, isFirst: start == 0)
    }
  }

  private func transform(_ block: Range<Int>, _ v: UnsafeMutablePointer<Float>, _ z: UnsafeMutablePointer<Float>) {
    let (lanes, kernels) = (DNN.channelBlock, Kernels.chosen)
    let (inputGroups, outputGroups) = (layer.inputs / lanes, layer.outputs / lanes)
    let (x, dy) = (input.buffer.baseAddress!, outputGradient.buffer.baseAddress!)
    Parallel.ranges(inputGroups + outputGroups) { groups in
      let (first, last) = (groups.lowerBound, groups.upperBound)
      kernels.transformInputs(
        tiles, block, min(first, inputGroups)..<min(last, inputGroups), of: inputGroups, x, into: v,
        rowStride: rowStride,
        plane: inputPlane)
      kernels.transformGradients(
        tiles, block, max(first - inputGroups, 0)..<max(last - inputGroups, 0), of: outputGroups, dy, into: z,
        panel: gradientPanel, plane: gradientPlane)
    }
  }

  private func multiply(_ v: UnsafePointer<Float>, _ z: UnsafePointer<Float>, count: Int, isFirst: Bool) {
    let (panel, panels) = (TileProduct.columns, layer.outputs / TileProduct.columns)
    let (sums, kernels) = (scratch[.blockedWeight], Kernels.chosen)
    Parallel.ranges(WinogradTiles.positions * panels) { items in
      for item in items {
        let (position, index) = (item / panels, item % panels)
        let rows = v + position * inputPlane
        let columns = z + (position * gradientPlane + index * gradientPanel)
        let result = sums + item * tiledInputs * panel
        for first in stride(from: 0, to: layer.inputs, by: TileProduct.rows) {
          kernels.multiplyColumns(
            steps: count, rows + first, columnStride: rowStride, columns, stepStride: panel, adding: !isFirst,
            into: result + first &* panel, leading: panel)
        }
      }
    }
  }

  /// dg (O, C, 3, 3) += G' dU G
  func accumulate() {
    if layer.weight.isTrained { accumulateWeight() }
    if let bias = layer.bias, bias.isTrained { addBiasGradient(to: bias.gradient.baseAddress!) }
  }

  private func accumulateWeight() {
    let lanes = SIMD8<Float>.lanes
    let (panel, panels) = (TileProduct.columns, layer.outputs / TileProduct.columns)
    let plane = panels * tiledInputs * panel
    let sums = scratch[.blockedWeight]
    let gradient = layer.weight.gradient.baseAddress!
    let outputStride = 9 * layer.inputs
    Parallel.ranges(layer.outputs / lanes) { groups in
      for group in groups {
        let first = group * lanes
        let start = sums + (first / panel * tiledInputs * panel + first % panel)
        for input in 0..<layer.inputs {
          let source = start + input &* panel
          @inline(__always) func column(_ j: Int) -> InlineArray<3, SIMD8<Float>> {
            Self.contract(
              SIMD8(from: source + j &* plane), SIMD8(from: source + (4 &+ j) &* plane),
              SIMD8(from: source + (8 &+ j) &* plane),
              SIMD8(from: source + (12 &+ j) &* plane))
          }
          let (a, b, c, d) = (column(0), column(1), column(2), column(3))
          let target = gradient + (group &* lanes &* outputStride &+ 9 &* input)
          for row in 0..<3 {
            let taps = Self.contract(a[row], b[row], c[row], d[row])
            for tap in 0..<3 {
              let place = target + (3 &* row &+ tap)
              let values = taps[tap]
              for lane in 0..<lanes { place[lane &* outputStride] += values[lane] }
            }
          }
        }
      }
    }
  }

  /// G' u
  @inline(__always)
  private static func contract(
    _ a: SIMD8<Float>, _ b: SIMD8<Float>, _ c: SIMD8<Float>, _ d: SIMD8<Float>
  ) -> InlineArray<3, SIMD8<Float>> {
    let (sum, difference) = ((b + c) * 0.5, (b - c) * 0.5)
    return [a + sum, difference, sum + d]
  }

  private func addBiasGradient(to gradient: UnsafeMutablePointer<Float>) {
    let view = ChannelView(outputGradient)
    let dy = outputGradient.elements
    let lanes = SIMD8<Float>.lanes
    Parallel.ranges(view.channels / lanes) { parts in
      for part in parts {
        let channel = part * lanes
        var total = SIMD8<Double>.zero
        for image in 0..<view.images {
          let start = dy + (view.start(ofChannel: channel) &+ image &* view.imageStride)
          var sum = SIMD8<Float>.zero
          for i in 0..<view.positions { sum += SIMD8(from: start + i &* view.positionStride) }
          total += SIMD8<Double>(sum)
        }
        for lane in 0..<lanes { gradient[channel &+ lane] += Float(total[lane]) }
      }
    }
  }
}
