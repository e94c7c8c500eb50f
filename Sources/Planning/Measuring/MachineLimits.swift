import NeuralNetwork
import VectorKernels

/// The machine's limits with this number of threads, to compare other figures with.
package struct MachineLimits: Encodable, Sendable {
  package let threads: Int
  /// a = b + s c over 3 x 64 MB, counting 3 streams (the write's own read of the line is not counted).
  package let triadGBPerSecond: Double
  /// A product of 1,536 x 1,536 matrices in OpenBLAS.
  package let gemmGFLOPPerSecond: Double

  package static func measure() -> MachineLimits {
    MachineLimits(threads: Parallel.threads, triadGBPerSecond: triad(), gemmGFLOPPerSecond: gemm())
  }

  private static func triad() -> Double {
    let count = 16 << 20
    let (a, b, c) = (AlignedMemory(count: count), AlignedMemory(count: count), AlignedMemory(count: count))
    b.elements.update(repeating: 1)
    c.elements.update(repeating: 2)
    let timing = Timing.measure(7) {
      Elementwise.triad(b.elements, plus: 0.5, times: c.elements, into: a.elements)
    }
    return 3 * Double(a.bytes) / timing.minimum / 1e9
  }

  private static func gemm() -> Double {
    let side = 1536
    let (a, b, c) = (
      AlignedMemory(count: side * side), AlignedMemory(count: side * side), AlignedMemory(count: side * side)
    )
    a.elements.update(repeating: 1)
    b.elements.update(repeating: 0.5)
    let timing = Timing.measure(5) {
      NeuralNetwork.gemm(
        .none, .none, side, side, side, a.elements.baseAddress!, b.elements.baseAddress!,
        into: c.elements.baseAddress!)
    }
    return 2 * Double(side * side * side) / timing.minimum / 1e9
  }

  var lines: [(name: String, value: String)] {
    [
      ("memory, triad", "\(triadGBPerSecond.shown(1)) GB/s with \(threads) threads"),
      ("large product", "\(gemmGFLOPPerSecond.shown(0)) GFLOP/s"),
    ]
  }
}
