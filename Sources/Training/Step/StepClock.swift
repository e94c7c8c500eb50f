package import Distributed
import MPI

/// Sums up the time of each part of a step: what lies in a part that stands within another is not counted twice, and
/// calls of the MPI library belong to none.
package final class StepClock {
  private var nanoseconds = TraceRecorder.Phase.allCases.map { _ in Int64(0) }
  private var sum: Int64 = 0
  private var libraryBefore = LibraryTime.nanoseconds

  package init() {}

  /// Begins anew.
  package func clear() {
    for index in nanoseconds.indices { nanoseconds[index] = 0 }
    (sum, libraryBefore) = (0, LibraryTime.nanoseconds)
  }

  package func seconds(_ part: TraceRecorder.Phase) -> Double { 1e-9 * Double(nanoseconds[part.rawValue]) }

  /// Inside the MPI library.
  package var librarySeconds: Double { 1e-9 * Double(LibraryTime.nanoseconds - libraryBefore) }

  fileprivate var counted: Int64 { sum + LibraryTime.nanoseconds }

  /// What has passed since then and was not counted elsewhere.
  fileprivate func add(_ part: TraceRecorder.Phase, since start: Int64, counted before: Int64) {
    let own = LibraryTime.now - start - (counted - before)
    nanoseconds[part.rawValue] += own
    sum += own
  }
}

extension Optional where Wrapped == StepClock {
  /// Does `body`, on the clock where there is one.
  @inline(__always)
  func span<Result>(_ part: TraceRecorder.Phase, _ body: () throws -> Result) rethrows -> Result {
    guard let clock = self else { return try body() }
    let (start, counted) = (LibraryTime.now, clock.counted)
    defer { clock.add(part, since: start, counted: counted) }
    return try body()
  }
}
