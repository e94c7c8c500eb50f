import Foundation

/// What this host has sent through its network interfaces, by the system's own count.
package enum NetworkCounter {
  /// Bytes, headers included, through all interfaces but the loopback; nil where the system does not tell.
  ///
  /// The ninth number of each line of Linux's `/proc/self/net/dev`, which tells of this process's network namespace.
  package static var sentBytes: Int? {
    (try? String(contentsOfFile: "/proc/self/net/dev", encoding: .utf8)).flatMap(sentBytes(in:))
  }

  package static func sentBytes(in table: String) -> Int? {
    let lines = table.split(separator: "\n").compactMap { line -> Int? in
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0].filter({ $0 != " " }) != "lo" else { return nil }
      let numbers = parts[1].split(separator: " ")
      return numbers.count > 8 ? Int(numbers[8]) : nil
    }
    return lines.isEmpty ? nil : lines.reduce(0, +)
  }
}
