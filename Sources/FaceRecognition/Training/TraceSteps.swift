import Foundation

/// Steps of which a trace is recorded, "20..29": both ends included, counted from 0 over the whole run.
package struct TraceSteps: Equatable, Sendable, CodedAsText {
  package static let meaning = "a range of steps a..b"

  package let first: Int
  package let last: Int

  /// Ten steps after the first three of a start: those make primitives and fill caches.
  package init(afterStartAt step: Int) { (first, last) = (step + 3, step + 12) }

  /// nil for anything but two numbers in order, or one.
  package init?(_ text: String) {
    let ends = text.components(separatedBy: "..").map { Int($0) }
    guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first >= 0, last >= first else {
      return nil
    }
    (self.first, self.last) = (first, last)
  }

  /// The longest trace: its events are kept in memory until the run ends.
  package static let most = 1000

  package func contains(_ step: Int) -> Bool { (first...last).contains(step) }
  package var count: Int { last - first + 1 }
  package var description: String { "\(first)..\(last)" }
}
