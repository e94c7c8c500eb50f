package import Distributed
import Files
package import MPI
import VectorKernels

/// Sums over all ranks, from small messages to large ones: as gradients travel, and by the MPI library's own routine.
package struct AllReduceBenchmark {
  package struct Size: Encodable, Sendable {
    package let bytes: Int
    /// Of the slowest rank, the median of the repetitions.
    package let seconds: Double
    /// bytes / seconds
    package let bytesPerSecond: Double
    /// What each rank sends at least, 2 (P - 1) / P of the bytes, / seconds.
    package let sentBytesPerSecond: Double
    /// The same by `MPI_Allreduce`.
    package let librarySeconds: Double
    /// Of the rank that sent most, in one sum.
    package let sentBytes: Int
    /// 2 (P - 1) / P of the bytes under way.
    package let sentBytesFormula: Int
  }

  package struct Report: BenchmarkReport {
    package let ranks: Int
    package let nodes: Int
    package let steps: Int
    package let gradientType: GradientType
    package let sizes: [Size]
    package let peakResidentGB: Double
    package let limits: MachineLimits
    /// The largest message's share of half the triad's bandwidth, which a sum in shared memory could reach.
    package let shareOfMemoryBandwidth: Double

    package var lines: [(name: String, value: String)] {
      sizes.map { size in
        (
          "\(size.bytes) bytes",
          "\((1e6 * size.seconds).shown(1)) us, \((size.bytesPerSecond / 1e9).shown(3)) GB/s; MPI_Allreduce "
            + "\((1e6 * size.librarySeconds).shown(1)) us; \(size.sentBytes) bytes sent, by the formula "
            + "\(size.sentBytesFormula)"
        )
      } + [
        ("ranks", "\(ranks) on \(nodes) nodes"),
        ("share of memory's", "\((100 * shareOfMemoryBandwidth).shown(1)) %"),
        ("peak memory", "\(peakResidentGB.shown(2)) GB a rank"),
      ] + limits.lines
    }
  }

  package var largestBytes = 64 << 20
  package var steps = 10
  package var gradientType = GradientType.float32

  package init() {}

  package func run(_ communicator: Communicator) throws -> Report {
    let count = max(largestBytes / 4, 1)
    // The message, and places for the parts that the other ranks send.
    try MemoryNeed.check(
      2 * largestBytes, of: "A message of that size", remedy: "--megabytes", ranks: communicator.placement().localSize)
    let memory = AlignedMemory(count: count)
    memory.elements.update(repeating: 1)
    var sizes: [Size] = []
    var floats = min(1 << 10, count)
    while true {
      let buffer = UnsafeMutableBufferPointer(rebasing: memory.elements[0..<floats])
      let exchange = SumExchange(communicator)
      let seconds = try Self.seconds(exchange, buffer, steps: steps, gradientType, communicator)
      // The warm-up's sums count too.
      let sent = try communicator.allReduce(exchange.sentBytes / (steps + Self.warmUp), .max)
      memory.elements.update(repeating: 1)
      let library = try Timing.measure(steps, warmUp: Self.warmUp) {
        try communicator.barrier()
        try communicator.allReduce(buffer)
      }
      let librarySeconds = try communicator.allReduce(library.median, .max)
      let bytes = 4 * floats
      let ranks = Double(communicator.size)
      sizes.append(
        Size(
          bytes: bytes, seconds: seconds, bytesPerSecond: Double(bytes) / seconds,
          sentBytesPerSecond: 2 * (ranks - 1) / ranks * Double(bytes) / seconds, librarySeconds: librarySeconds,
          sentBytes: sent,
          sentBytesFormula: GradientBuckets.bytesSent(floats, ranks: communicator.size, gradientType)))
      // Sums of ones would overflow after some hundred repetitions.
      memory.elements.update(repeating: 1)
      if floats == count { break }
      floats = min(floats * 4, count)
    }
    let nodes = try communicator.placement().nodeCount
    let peak = try communicator.allReduce(ResidentMemory.peakGB, .max)
    let limits = MachineLimits.measure()
    return Report(
      ranks: communicator.size, nodes: nodes, steps: steps, gradientType: gradientType, sizes: sizes,
      peakResidentGB: peak, limits: limits,
      shareOfMemoryBandwidth: sizes.last!.bytesPerSecond / (limits.triadGBPerSecond * 1e9 / 2))
  }

  private static let warmUp = 2

  /// Seconds of one sum of `bytes` of gradients with nothing else to do, on the slowest rank.
  static func exchangeSeconds(
    bytes: Int, steps: Int, _ type: GradientType, _ communicator: Communicator
  ) throws -> Double {
    let memory = AlignedMemory(count: max(bytes / 4, 1))
    return try seconds(SumExchange(communicator), memory.elements, steps: steps, type, communicator)
  }

  private static func seconds(
    _ exchange: SumExchange, _ buffer: UnsafeMutableBufferPointer<Float>, steps: Int, _ type: GradientType,
    _ communicator: Communicator
  ) throws -> Double {
    let timing = try Timing.measure(steps, warmUp: warmUp) {
      try communicator.barrier()
      try exchange.begin(buffer, as: type, tag: 1)
      repeat { try exchange.wait() } while try !exchange.advance()
    }
    return try communicator.allReduce(timing.median, .max)
  }
}
