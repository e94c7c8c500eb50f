import Files
import Foundation
import MPI
import NeuralNetwork
import Training

/// How many threads a rank computes with.
enum Threads {
  /// Takes `asked`, else OMP_NUM_THREADS, else this rank's fair share of the cores it may run on. Returns the number.
  ///
  /// - Throws: `EnvironmentError` for an OMP_NUM_THREADS that is out of bounds.
  @discardableResult
  static func use(_ asked: Int?, _ placement: Placement) throws -> Int {
    let count = try asked ?? environment() ?? fairShare(placement)
    Parallel.setThreads(count)
    return count
  }

  /// OpenMP takes a list, too: a number for each level of regions within regions. The first is the one that counts here.
  private static func environment() throws -> Int? {
    let name = "OMP_NUM_THREADS"
    guard let text = ProcessInfo.processInfo.environment[name], !text.isEmpty else { return nil }
    let first = text.prefix { $0 != "," }.trimmingCharacters(in: .whitespaces)
    do { return try Limits.threads.number(first) } catch { throw EnvironmentError(name, text, error) }
  }

  /// A rank bound to some cores takes these; unbound ranks share the node's.
  private static func fairShare(_ placement: Placement) -> Int {
    let (allowed, all) = (ProcessInfo.processInfo.activeProcessorCount, ProcessInfo.processInfo.processorCount)
    return min(max(allowed < all ? allowed : all / placement.localSize, 1), Limits.threads.greatest)
  }
}

/// An environment variable that cannot be used.
struct EnvironmentError: Error, CustomStringConvertible {
  let description: String

  init(_ name: String, _ value: String, _ error: NumberError) {
    description = "The environment variable \(name) is '\(value)', but \(error)."
  }
}
