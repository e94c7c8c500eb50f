import VectorKernels

/// The weight's gradient of a 3 x 3 convolution by the adjoint of Winograd's F(4 x 4, 3 x 3): see `WinogradTiles`.
///
/// T = tiles of a block, C = inputs, O = outputs.
///
///     V (36, T, C) = B' d B        Z (36, T, O) = A dy A'        dU (36, C, O) = V' Z, position by position
///     dg += G' dU G
///
/// Threads share the tiles of a block for the transforms, then pieces of dU: of one, all positions are in a core's cache,
/// where they become dg. The sum does not depend on the number of threads.
final class WinogradGradient: ConvolutionGradient {
  let implementation = "winograd:F(4x4,3x3) weights"

  private let layer: ConvolutionGeometry
  private let input: Tensor
  /// What d is of the input, where it is not the input.
  private let map: ChannelMap?
  private let outputGradient: Tensor
  private let tiles: WinogradTiles
  private let scratch: Scratch
  /// T
  private let blockTiles: Int
  /// Floats between V's rows and planes, and between Z's panels and planes. Z (36, O / P, T, P)
  private let rowStride: Int
  private let inputPlane: Int
  private let gradientPanel: Int
  private let gradientPlane: Int

  /// Floats of V and Z together: half of a usual third-level cache.
  private static let blockCount = 14 << 18
  /// Tiles of a block at most: Z of a panel stays in the first-level cache while the rows of V pass.
  private static let depth = 192
  /// A piece of dU: so many panels, and tiles of rows of each.
  private static let piecePanels = 2
  private static let pieceTiles = 8
  /// Floats between a piece's positions, and of all.
  private static let piecePlane = WinogradTiles.oddLines(
    piecePanels * pieceTiles * TileProduct.rows * TileProduct.columns)
  private static let pieceCount = WinogradTiles.positions * piecePlane

  init(_ layer: ConvolutionGeometry, input: Tensor, map: ChannelMap?, outputGradient: Tensor, scratch: Scratch) {
    self.layer = layer
    self.scratch = scratch
    self.input = input
    self.map = map
    self.outputGradient = outputGradient
    tiles = WinogradTiles(height: input.shape.height, width: input.shape.width)
    let limit = Self.blockCount / (WinogradTiles.positions * (layer.inputs + layer.outputs))
    blockTiles = min(max(limit, 1), Self.depth, input.batch * tiles.perImage)
    rowStride = WinogradTiles.oddLines(layer.inputs + TileProduct.rows)
    inputPlane = WinogradTiles.oddLines(blockTiles * rowStride)
    gradientPanel = blockTiles * TileProduct.columns
    gradientPlane = WinogradTiles.oddLines(layer.outputs / TileProduct.columns * gradientPanel)
    let bytes = MemoryLayout<Float>.size
    scratch.reserve(.primitive, bytes: bytes * WinogradTiles.positions * (inputPlane + gradientPlane))
    scratch.reserve(.blockedWeight, bytes: bytes * Parallel.threads * Self.pieceCount)
  }

  /// dg (O, C, 3, 3) += G' dU G
  func accumulate() {
    if layer.weight.isTrained { accumulateWeight() }
    if let bias = layer.bias, bias.isTrained { addBiasGradient(to: bias.gradient.baseAddress!) }
  }

  private func accumulateWeight() {
    let count = input.batch * tiles.perImage
    let v = scratch[.primitive]
    let z = v + WinogradTiles.positions * inputPlane
    let blocks = (count + blockTiles - 1) / blockTiles
    for index in 0..<blocks {
      let block = Share.range(of: count, index, blocks)
      transform(block, v, z)
      multiply(v, z, counts: tiles.counts(block))
    }
  }

  private func transform(_ block: Range<Int>, _ v: UnsafeMutablePointer<Float>, _ z: UnsafeMutablePointer<Float>) {
    let (lanes, kernels) = (DNN.channelBlock, Kernels.chosen)
    let (inputGroups, outputGroups) = (layer.inputs / lanes, layer.outputs / lanes)
    let (x, dy) = (input.buffer.baseAddress!, outputGradient.buffer.baseAddress!)
    Parallel.run { part, parts in
      kernels.transformInputs(
        tiles, block, Share.range(of: inputGroups, part, parts), of: inputGroups, x, map: map, into: v,
        rowStride: rowStride, plane: inputPlane)
      // Who has one group more of the inputs has one less here.
      kernels.transformGradients(
        tiles, block, Share.range(of: outputGroups, parts - 1 - part, parts), of: outputGroups, dy, into: z,
        panel: gradientPanel, plane: gradientPlane)
    }
  }

  private func multiply(_ v: UnsafePointer<Float>, _ z: UnsafePointer<Float>, counts: SIMD4<Int>) {
    let panels = layer.outputs / TileProduct.columns
    let columnParts = (panels + Self.piecePanels - 1) / Self.piecePanels
    let rowTiles = (layer.inputs + TileProduct.rows - 1) / TileProduct.rows
    let rowParts = (rowTiles + Self.pieceTiles - 1) / Self.pieceTiles
    Parallel.ranges(columnParts * rowParts) { pieces in
      let sums = scratch[.blockedWeight] + Parallel.part * Self.pieceCount
      for piece in pieces {
        let (columnPart, rowPart) = piece.quotientAndRemainder(dividingBy: rowParts)
        let panels = Share.range(of: panels, columnPart, columnParts)
        let rows = Share.range(of: rowTiles, rowPart, rowParts)
        multiply(v, z, counts: counts, rows: rows, panels: panels, into: sums)
        add(sums, rows: rows, panels: panels)
      }
    }
  }

  /// dU of some tiles of rows and panels: (36, panels, rows, P).
  private func multiply(
    _ v: UnsafePointer<Float>, _ z: UnsafePointer<Float>, counts: SIMD4<Int>, rows: Range<Int>, panels: Range<Int>,
    into sums: UnsafeMutablePointer<Float>
  ) {
    let (tile, columns, kernels) = (TileProduct.rows, TileProduct.columns, Kernels.chosen)
    for position in 0..<WinogradTiles.positions {
      let count = counts[WinogradTiles.kind(position)]
      for (index, panel) in panels.enumerated() {
        let x = v + position * inputPlane
        let dy = z + (position * gradientPlane + panel * gradientPanel)
        let result = sums + (position * Self.piecePlane + index * rows.count * tile * columns)
        for row in rows {
          kernels.multiplyColumns(
            steps: count, x + row * tile, columnStride: rowStride, dy, stepStride: columns, adding: false,
            into: result + (row - rows.lowerBound) * tile * columns, leading: columns)
        }
      }
    }
  }

  /// dg += G' dU G of them.
  private func add(_ sums: UnsafePointer<Float>, rows: Range<Int>, panels: Range<Int>) {
    let (tile, columns) = (TileProduct.rows, TileProduct.columns)
    let first = rows.lowerBound * tile
    let filter = WinogradWeight.filter(layer, .forward)
    let gradient = layer.weight.gradient.baseAddress! + first * filter.inputStride
    for (index, panel) in panels.enumerated() {
      Kernels.chosen.addWeightGradients(
        filter, sums + index * rows.count * tile * columns, plane: Self.piecePlane,
        count: min(rows.count * tile, layer.inputs - first),
        to: gradient + panel * columns * filter.outputStride)
    }
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
