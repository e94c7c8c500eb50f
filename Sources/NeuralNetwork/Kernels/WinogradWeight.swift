import VectorKernels

/// A 3 x 3 weight as Winograd's products read it, in the shared scratch, and the way back for its gradient.
///
/// U (16, O / P, C, P) = G g G' of each pair of channels: for each position of a tile, panels of P outputs, as
/// `TileProduct` takes them.
/// One read of the weight, one write of 16/9 times as much.
final class WinogradWeight {
  /// C and O of this direction.
  let inputs: Int
  let outputs: Int

  private let parameter: Parameter
  private let direction: ConvolutionDirection
  private let scratch: Scratch

  private typealias Vector = SIMD8<Float>
  /// Floats of a panel.
  private var panelCount: Int { inputs * TileProduct.columns }

  init(_ layer: ConvolutionGeometry, _ direction: ConvolutionDirection, scratch: Scratch) {
    parameter = layer.weight
    self.direction = direction
    self.scratch = scratch
    (inputs, outputs) =
      direction == .forward ? (layer.inputs, layer.outputs) : (layer.outputs, layer.inputs)
    scratch.reserve(
      .blockedWeight, bytes: WinogradTiles.positions * inputs * outputs * MemoryLayout<Float>.size)
  }

  /// (C, P): the weights of outputs `first`... at a position.
  func panel(_ position: Int, _ first: Int) -> UnsafePointer<Float> {
    UnsafePointer(scratch[.blockedWeight] + position * inputs * outputs + first * inputs)
  }

  func transform() {
    let target = scratch[.blockedWeight]
    let weight = parameter.value.baseAddress!
    let plane = inputs * outputs
    let lanes = Vector.scalarCount
    // Distances of neighbouring outputs and inputs of this direction in the parameter (O, C, 3, 3).
    let (outputStride, inputStride) = direction == .forward ? (9 * inputs, 9) : (9, 9 * outputs)
    let turned = direction == .backward
    Parallel.ranges(outputs / lanes) { range in
      for group in range {
        let first = group &* lanes
        let panel = first / TileProduct.columns * panelCount + first % TileProduct.columns
        for input in 0..<inputs {
          let source = weight + (first &* outputStride &+ input &* inputStride)
          @inline(__always) func tap(_ i: Int) -> Vector {
            let start = source + (turned ? 8 &- i : i)
            return Vector(
              start[0], start[outputStride], start[2 &* outputStride], start[3 &* outputStride],
              start[4 &* outputStride], start[5 &* outputStride], start[6 &* outputStride], start[7 &* outputStride])
          }
          let g0 = Self.expand(tap(0), tap(1), tap(2))
          let g1 = Self.expand(tap(3), tap(4), tap(5))
          let g2 = Self.expand(tap(6), tap(7), tap(8))
          let result = target + (panel &+ input &* TileProduct.columns)
          for column in 0..<4 {
            let rows = Self.expand(g0[column], g1[column], g2[column])
            for row in 0..<4 { rows[row].store(to: result + (4 &* row &+ column) &* plane) }
          }
        }
      }
    }
  }

  /// G g
  @inline(__always)
  private static func expand(_ a: Vector, _ b: Vector, _ c: Vector) -> InlineArray<4, Vector> {
    let (outer, inner) = ((a + c) * 0.5, b * 0.5)
    return [a, outer + inner, outer - inner, c]
  }
}
