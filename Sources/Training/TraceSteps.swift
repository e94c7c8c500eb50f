public import Files
import Foundation

/// Steps of which a trace is recorded, "20..29": both ends included, counted from 0 over the whole run.
public struct TraceSteps: Equatable, Sendable, CodedAsText {
  package static let meaning =
    "steps A..B in order, \(most) at most, from 0 to \(Limits.mostSteps)"

  package let first: Int
  package let last: Int

  /// Ten steps after the first three of a start: those make primitives and fill caches.
  package init(afterStartAt step: Int) { (first, last) = (step + 3, step + 12) }

  /// nil for anything but two numbers in order, or one, and for more than `most` steps.
  public init?(_ text: String) {
    let ends = text.components(separatedBy: "..").map { Int($0) }
    guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2,
      (0...Limits.mostSteps).contains(first), (0...Limits.mostSteps).contains(last), first <= last,
      last - first < Self.most
    else { return nil }
    (self.first, self.last) = (first, last)
  }

  /// The longest trace: its events are kept in memory until the run ends.
  package static let most = 1000

  package func contains(_ step: Int) -> Bool { (first...last).contains(step) }
  package var count: Int { last - first + 1 }
  /// As a person would type it.
  public var description: String { "\(first)..\(last)" }
}
