package import Foundation

/// What a benchmark found: one JSON object for machines, lines for people.
package protocol BenchmarkReport: Encodable {
  /// Names and values, in the order in which they are shown.
  var lines: [(name: String, value: String)] { get }
}

extension BenchmarkReport {
  /// One object on one line, keys sorted.
  package func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try encoder.encode(self)
  }

  package var text: String {
    let width = lines.map(\.name.count).max() ?? 0
    return lines.map { "\($0.name.padding(toLength: width + 2, withPad: " ", startingAt: 0))\($0.value)\n" }.joined()
  }
}

extension Double {
  /// With so many digits after the point.
  func shown(_ digits: Int) -> String { String(format: "%.\(digits)f", self) }
}

/// A benchmark that cannot be made as it was asked for.
package struct BenchmarkError: Error, Equatable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
