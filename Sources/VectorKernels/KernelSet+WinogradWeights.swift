/// Of a 3 x 3 weight how Winograd's transforms see it: which strides lead from a pair of channels to the next.
@usableFromInline
package struct WinogradFilter: Sendable {
  @usableFromInline package let outputStride: Int
  @usableFromInline package let inputStride: Int
  /// The taps in reverse: backward to the input.
  @usableFromInline let isTurned: Bool

  package init(outputStride: Int, inputStride: Int, isTurned: Bool) {
    self.outputStride = outputStride
    self.inputStride = inputStride
    self.isTurned = isTurned
  }

  /// Where the weights of a vector of pairs begin: two vectors of outputs for each input.
  @inlinable @inline(__always)
  func place(_ pair: Int, _ lanes: Int) -> Int { (pair >> 1) &* inputStride &+ (pair & 1) &* lanes &* outputStride }
}

/// Winograd's transform of weights, and the way back for their gradients: see `WinogradTiles`. A panel is two vectors
/// of outputs.
extension KernelSet {
  /// U = G g G' of `count` inputs with the outputs of one panel: (36, count, 2 L), positions `plane` apart.
  ///
  /// `weight`: the weight of the first pair.
  @inlinable @inline(__always)
  package static func transformWeights(
    _ filter: WinogradFilter, _ weight: UnsafePointer<Float>, count: Int, into u: UnsafeMutablePointer<Float>,
    plane: Int
  ) {
    forEachPair(count) { pair, taps in
      Vector.transposeNine(rows: weight + filter.place(pair, Vector.lanes), stride: filter.outputStride, columns: taps)
    } then: { pair, taps in
      transformWeight(taps, isTurned: filter.isTurned, into: u + pair &* Vector.lanes, plane: plane)
    }
  }

  /// U of one vector of pairs of channels, of its nine taps.
  @inlinable @inline(__always)
  static func transformWeight(
    _ taps: UnsafePointer<Float>, isTurned: Bool, into target: UnsafeMutablePointer<Float>, plane: Int
  ) {
    @inline(__always) func tap(_ i: Int) -> Vector { Vector(from: taps + (isTurned ? 8 &- i : i) &* Vector.lanes) }
    let g0 = WinogradLine<Vector>.weights(tap(0), tap(1), tap(2))
    let g1 = WinogradLine<Vector>.weights(tap(3), tap(4), tap(5))
    let g2 = WinogradLine<Vector>.weights(tap(6), tap(7), tap(8))
    @inline(__always) func write(_ column: Int, _ a: Vector, _ b: Vector, _ c: Vector) {
      WinogradLine<Vector>.weights(a, b, c).store(to: target + column &* plane, stride: 6 &* plane)
    }
    write(0, g0.v0, g1.v0, g2.v0)
    write(1, g0.v1, g1.v1, g2.v1)
    write(2, g0.v2, g1.v2, g2.v2)
    write(3, g0.v3, g1.v3, g2.v3)
    write(4, g0.v4, g1.v4, g2.v4)
    write(5, g0.v5, g1.v5, g2.v5)
  }

  /// gradient += G' dU G of the same.
  @inlinable @inline(__always)
  package static func addWeightGradients(
    _ filter: WinogradFilter, _ u: UnsafePointer<Float>, plane: Int, count: Int,
    to gradient: UnsafeMutablePointer<Float>
  ) {
    forEachPair(count) { pair, taps in
      contractGradient(u + pair &* Vector.lanes, plane: plane, into: taps)
    } then: { pair, taps in
      Vector.addTransposedNine(
        columns: taps, toRows: gradient + filter.place(pair, Vector.lanes), stride: filter.outputStride)
    }
  }

  /// G' dU G of one vector of pairs of channels: nine taps.
  @inlinable @inline(__always)
  static func contractGradient(
    _ source: UnsafePointer<Float>, plane: Int, into taps: UnsafeMutablePointer<Float>
  ) {
    @inline(__always) func column(_ j: Int) -> (Vector, Vector, Vector) {
      WinogradLine<Vector>.taps(WinogradValues(from: source + j &* plane, stride: 6 &* plane))
    }
    let (c0, c1, c2) = (column(0), column(1), column(2))
    let (c3, c4, c5) = (column(3), column(4), column(5))
    @inline(__always) func write(_ row: Int, _ values: WinogradValues<Vector>) {
      let (a, b, c) = WinogradLine<Vector>.taps(values)
      a.store(to: taps + 3 &* row &* Vector.lanes)
      b.store(to: taps + (3 &* row &+ 1) &* Vector.lanes)
      c.store(to: taps + (3 &* row &+ 2) &* Vector.lanes)
    }
    write(0, WinogradValues(c0.0, c1.0, c2.0, c3.0, c4.0, c5.0))
    write(1, WinogradValues(c0.1, c1.1, c2.1, c3.1, c4.1, c5.1))
    write(2, WinogradValues(c0.2, c1.2, c2.2, c3.2, c4.2, c5.2))
  }

  /// Vectors of pairs whose taps lie in the buffer between the transposition and the transform.
  @inlinable @inline(__always)
  static var tapPairs: Int { 16 }

  /// The vectors of pairs of `count` inputs with a panel of two vectors of outputs, some at a time: `first` makes the nine
  /// taps of each, and `last` uses them.
  @inlinable @inline(__always)
  static func forEachPair(
    _ count: Int, _ first: (_ pair: Int, _ taps: UnsafeMutablePointer<Float>) -> Void,
    then last: (_ pair: Int, _ taps: UnsafeMutablePointer<Float>) -> Void
  ) {
    withUnsafeTemporaryAllocation(
      byteCount: 9 &* tapPairs &* MemoryLayout<Vector>.size, alignment: MemoryLayout<Vector>.alignment
    ) { buffer in
      let taps = buffer.baseAddress!.assumingMemoryBound(to: Float.self)
      var start = 0
      while start < 2 &* count {
        let part = min(tapPairs, 2 &* count &- start)
        var pair = 0
        while pair < part {
          first(start &+ pair, taps + 9 &* pair &* Vector.lanes)
          pair &+= 1
        }
        pair = 0
        while pair < part {
          last(start &+ pair, taps + 9 &* pair &* Vector.lanes)
          pair &+= 1
        }
        start &+= part
      }
    }
  }
}
