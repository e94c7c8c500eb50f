package import Distributed
import Foundation

/// How long ranks take to exchange bytes: the alpha-beta model, with hosts.
///
/// P ranks, r of them on each host; alpha = seconds that a message takes at least, B = bytes per second out of a host, and
/// at the same time into it; S = bytes per second that ranks of one host pass through their shared memory.
/// n = bytes that every rank has, or gets, in the end.
///
///     sum, as gradients travel       2 rounds of P - 1 messages of n / P bytes to all others at once
///                                    2 (alpha + (P - 1) o) + 2 r n / P (P - r) / B + 2 n / P (r - 1) / S
///     reduction of a few bytes       recursive doubling: ceil(log2 P) (alpha + n / B)
///     broadcast                      a tree: ceil(log2 P) alpha + 2 n / B (1 n / B for two ranks)
///     allgather                      a ring: (P - 1) (alpha + n / P / b)
///     allgather of a few bytes       recursive doubling: ceil(log2 P) alpha + n (P - 1) / P / b
///     a piece for each other rank    alpha + (P - 1) o + n (P - 1) / P / b: ordered sums, twice where all get them
///
/// o = 5 microseconds, what a message costs the processor beyond its bytes; b = B among hosts, S within one.
package struct LinkModel: Codable, Equatable, Sendable {
  /// alpha
  package var latencySeconds: Double
  /// B
  package var bytesPerSecond: Double
  /// S
  package var sharedMemoryBytesPerSecond = 4e9
  /// r
  package var ranksPerHost = 1

  private static let messageSeconds = 5e-6
  private static let sharedMemoryLatency = 1e-6
  /// Bytes up to which Open MPI gathers by recursive doubling.
  private static let fewBytes = 50_000.0

  package init(latencySeconds: Double, bytesPerSecond: Double) {
    self.latencySeconds = latencySeconds
    self.bytesPerSecond = bytesPerSecond
  }

  /// The time of a bucket's sum. Only the wire works while a rank computes: within a host the ranks themselves copy.
  package struct Sum: Equatable, Sendable {
    package var latency = 0.0
    package var wire = 0.0
    package var processor = 0.0

    /// Of one bucket with nothing else to do.
    package var seconds: Double { latency + wire + processor }
  }

  /// The sum of `bytes` over all ranks, as `SumExchange` makes it; a rank copies and adds `copyBytesPerSecond`.
  ///
  /// The processor's part: bytes that come from and go to other hosts are copied twice each, into and out of the kernel;
  /// P - 1 additions to a piece read and write three times its bytes.
  package func sum(_ bytes: Double, ranks: Int, copyBytesPerSecond: Double) -> Sum {
    guard ranks > 1 else { return Sum() }
    let (p, piece) = (Double(ranks), bytes / Double(ranks))
    let r = Double(min(ranksPerHost, ranks))
    let crossing = 2 * piece * (p - r)
    return Sum(
      latency: 2 * (latency(ranks) + (p - 1) * Self.messageSeconds), wire: r * crossing / bytesPerSecond,
      processor: 2 * piece * (r - 1) / sharedMemoryBytesPerSecond
        + (4 * crossing + 3 * piece * (p - 1)) / copyBytesPerSecond)
  }

  /// The time of a message that the ranks wait for.
  package func seconds(of message: StepMessages.Message, ranks: Int) -> Double {
    let bytes = Double(message.bytes)
    return switch message.way {
    case .sum: sum(bytes, ranks: ranks, copyBytesPerSecond: .greatestFiniteMagnitude).seconds
    case .gather, .gatheredSum: allGather(bytes, ranks: ranks)
    case .reduction: smallReduction(bytes, ranks: ranks)
    case .orderedSum: 2 * exchange(bytes, ranks: ranks)
    case .orderedScatter: exchange(bytes, ranks: ranks)
    case .broadcast: broadcast(bytes, ranks: ranks)
    }
  }

  package func smallReduction(_ bytes: Double, ranks: Int) -> Double {
    rounds(ranks) * (latency(ranks) + bytes / bandwidth(ranks))
  }

  package func broadcast(_ bytes: Double, ranks: Int) -> Double {
    guard ranks > 1 else { return 0 }
    return rounds(ranks) * latency(ranks) + (ranks == 2 ? 1 : 2) * bytes / bandwidth(ranks)
  }

  package func allGather(_ bytes: Double, ranks: Int) -> Double {
    let messages = bytes <= Self.fewBytes ? rounds(ranks) : Double(ranks - 1)
    return messages * latency(ranks) + bytes * Double(ranks - 1) / Double(ranks) / bandwidth(ranks)
  }

  package func exchange(_ bytes: Double, ranks: Int) -> Double {
    guard ranks > 1 else { return 0 }
    let others = Double(ranks - 1)
    return latency(ranks) + others * Self.messageSeconds + bytes * others / Double(ranks) / bandwidth(ranks)
  }

  private func rounds(_ ranks: Int) -> Double { log2(Double(max(ranks, 1))).rounded(.up) }
  private func isOneHost(_ ranks: Int) -> Bool { ranks <= ranksPerHost }
  private func latency(_ ranks: Int) -> Double { isOneHost(ranks) ? Self.sharedMemoryLatency : latencySeconds }
  private func bandwidth(_ ranks: Int) -> Double {
    isOneHost(ranks) ? sharedMemoryBytesPerSecond : bytesPerSecond
  }
}
