import Foundation

/// Work that this host has not the memory for. It is refused before any is made: the system would end the process without
/// a word.
package struct MemoryNeed: Error, Equatable, CustomStringConvertible {
  package let work: String
  /// Of each rank, by formula.
  package let bytes: Int
  /// Ranks on this host.
  package let ranks: Int
  /// What the host has, swap included.
  package let available: Int
  package let remedy: String

  package var description: String {
    let share = ranks == 1 ? "" : " for \(ranks) ranks"
    return "\(work) needs at least \(Self.size(bytes)) of memory in each rank, and this host has "
      + "\(Self.size(available))\(share): give a smaller \(remedy)."
  }

  private static func size(_ bytes: Int) -> String { String(format: "%.1f GB", Double(bytes) / 1e9) }

  /// - Parameters:
  ///   - bytes: that one rank needs at least.
  ///   - remedy: the options that make it less.
  /// - Throws: `MemoryNeed` where the ranks of this host need more than it has.
  package static func check(
    _ bytes: Int, of work: String, remedy: String, ranks: Int = 1, available: Int = available
  ) throws(MemoryNeed) {
    let (all, overflow) = bytes.multipliedReportingOverflow(by: ranks)
    guard overflow || all > available else { return }
    throw MemoryNeed(work: work, bytes: bytes, ranks: ranks, available: available, remedy: remedy)
  }

  /// Memory and swap of this host in bytes, as Linux's `/proc/meminfo` tells them.
  package static let available: Int = {
    let lines = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8))?.split(separator: "\n") ?? []
    let kilobytes = lines.filter { $0.hasPrefix("MemTotal:") || $0.hasPrefix("SwapTotal:") }.compactMap { line in
      line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
    return kilobytes.isEmpty ? Int(clamping: ProcessInfo.processInfo.physicalMemory) : 1024 * kilobytes.reduce(0, +)
  }()
}
