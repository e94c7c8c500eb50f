import VectorKernels

/// A 3 x 3 weight as Winograd's products read it.
///
/// U (36, O / P, C, P) = G g G' of each pair of channels: for each position of a tile, panels of P outputs, as
/// `TileProduct` takes them.
///
/// U is four times the weight. It is made in the shared scratch before the images come; where it would fill a core's caches,
/// each thread makes it anew, a piece at a time, for each block of its tiles instead, so that it never goes to memory.
final class WinogradWeight {
  /// C and O of this direction.
  let inputs: Int
  let outputs: Int
  /// Whether `transform` makes all of U.
  let isWhole: Bool

  private let parameter: Parameter
  private let filter: WinogradFilter
  private let scratch: Scratch
  /// Floats between U's positions.
  private let plane: Int

  /// Inputs of a panel that a thread takes at once.
  private static let chunk = 32

  init(_ layer: ConvolutionGeometry, _ direction: ConvolutionDirection, scratch: Scratch) {
    parameter = layer.weight
    self.scratch = scratch
    (inputs, outputs) =
      direction == .forward ? (layer.inputs, layer.outputs) : (layer.outputs, layer.inputs)
    filter = Self.filter(layer, direction)
    plane = WinogradTiles.oddLines(inputs * outputs)
    isWhole = Self.isWhole(inputs, outputs)
    if isWhole {
      scratch.reserve(.blockedWeight, bytes: WinogradTiles.positions * plane * MemoryLayout<Float>.size)
    }
  }

  /// U takes 144 bytes for each pair of channels.
  static func isWhole(_ inputs: Int, _ outputs: Int) -> Bool { inputs * outputs < 1 << 16 }

  /// The parameter (O, C, 3, 3) in a direction.
  static func filter(_ layer: ConvolutionGeometry, _ direction: ConvolutionDirection) -> WinogradFilter {
    let (ofOutput, ofInput) = (9 * layer.inputs, 9)
    switch direction {
    case .forward: return WinogradFilter(outputStride: ofOutput, inputStride: ofInput, isTurned: false)
    case .backward: return WinogradFilter(outputStride: ofInput, inputStride: ofOutput, isTurned: true)
    }
  }

  /// (C, P): the weights of outputs `first`... at a position.
  func panel(_ position: Int, _ first: Int) -> UnsafePointer<Float> {
    UnsafePointer(scratch[.blockedWeight] + position * plane + first * inputs)
  }

  /// (36, count, P): a piece of U, of the outputs `first`... of a panel and the inputs `start`..., positions `plane` apart.
  func transform(
    outputs first: Int, inputs start: Int, count: Int, into u: UnsafeMutablePointer<Float>, plane: Int
  ) {
    Kernels.chosen.transformWeights(
      filter, parameter.value.baseAddress! + (first * filter.outputStride + start * filter.inputStride), count: count,
      into: u, plane: plane)
  }

  /// All of U, where it is made whole.
  func transform() {
    guard isWhole else { return }
    let (target, panel) = (scratch[.blockedWeight], TileProduct.columns)
    let chunks = (inputs + Self.chunk - 1) / Self.chunk
    Parallel.ranges(outputs / panel * chunks) { items in
      for item in items {
        let (first, start) = (item / chunks * panel, item % chunks * Self.chunk)
        transform(
          outputs: first, inputs: start, count: min(Self.chunk, inputs - start),
          into: target + (first * inputs + start * panel), plane: plane)
      }
    }
  }
}
