import Files
import Foundation

/// What a benchmark found: one JSON object for machines, lines for people.
package protocol BenchmarkReport: Encodable {
  /// Names and values, in the order in which they are shown.
  var lines: [(name: String, value: String)] { get }
  /// `lines` as a table, and whatever else there is.
  var text: String { get }
}

extension BenchmarkReport {
  package var text: String { table }

  var table: String { TextTable.lines(lines.map { [$0.name, $0.value] }).map { $0 + "\n" }.joined() }
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
