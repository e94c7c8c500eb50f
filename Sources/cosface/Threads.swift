import Foundation
import MPI
import NeuralNetwork

/// How many threads a rank computes with.
enum Threads {
  /// Takes `asked`, else OMP_NUM_THREADS, else this rank's fair share of the cores it may run on. Returns the number.
  @discardableResult
  static func use(_ asked: Int?, _ placement: Placement) -> Int {
    let count = asked ?? environment ?? fairShare(placement)
    Parallel.setThreads(count)
    return count
  }

  private static var environment: Int? {
    ProcessInfo.processInfo.environment["OMP_NUM_THREADS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
  }

  /// A rank bound to some cores takes these; unbound ranks share the node's.
  private static func fairShare(_ placement: Placement) -> Int {
    let (allowed, all) = (ProcessInfo.processInfo.activeProcessorCount, ProcessInfo.processInfo.processorCount)
    return max(allowed < all ? allowed : all / placement.localSize, 1)
  }
}
