import Foundation

/// Bytes that this host's network interfaces have sent so far.
package struct NetworkCounters: Equatable {
  package let sent: [String: UInt64]

  /// `text`: as in Linux's /proc/self/net/dev, which tells of this process's network namespace; the ninth number behind a
  /// name counts sent bytes.
  package init(_ text: String) {
    var sent: [String: UInt64] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let numbers = parts[1].split(separator: " ")
      if numbers.count > 8, let bytes = UInt64(numbers[8]) {
        sent[parts[0].trimmingCharacters(in: .whitespaces)] = bytes
      }
    }
    self.sent = sent
  }

  static func current() -> NetworkCounters {
    NetworkCounters((try? String(contentsOfFile: "/proc/self/net/dev", encoding: .utf8)) ?? "")
  }

  /// Bytes, headers included, through all interfaces but the loopback; nil where the system does not tell.
  package var sentElsewhere: Int? { sent.isEmpty ? nil : sent.reduce(0) { $1.key == "lo" ? $0 : $0 + Int($1.value) } }

  /// The interfaces that have since sent at least a twentieth of `bytes`, the busiest first.
  package func carriers(of bytes: Int, until later: NetworkCounters) -> [String] {
    later.sent.map { (name: $0.key, bytes: $0.value - min(sent[$0.key] ?? 0, $0.value)) }
      .filter { bytes > 0 && $0.bytes * 20 >= UInt64(bytes) }
      .sorted { ($1.bytes, $0.name) < ($0.bytes, $1.name) }.map(\.name)
  }
}
