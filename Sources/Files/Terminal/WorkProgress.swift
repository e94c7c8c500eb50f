import Foundation

/// Tells a person how far a long job on files is: a line that rewrites itself on a terminal, plain lines elsewhere.
package final class WorkProgress {
  private let what: String
  private let isTerminal = isatty(STDERR_FILENO) != 0
  private let start = ContinuousClock.now
  private var last: ContinuousClock.Instant

  /// `what` is counted: "faces".
  package init(_ what: String) {
    self.what = what
    last = start
  }

  /// To be called as often as one likes.
  package func show(_ done: Int, of total: Int) {
    let now = ContinuousClock.now
    // On a terminal the last line is always shown, or it would stop short of the end.
    guard (now - last).seconds >= (isTerminal ? 0.2 : 10) || (isTerminal && done == total) else { return }
    last = now
    let rate = Double(done) / max((now - start).seconds, 1e-3)
    let left = Int((Double(total - done) / max(rate, 1e-3)).rounded())
    let share = total > 0 ? 100 * done / total : 100
    let text = "\(done)/\(total) \(what) (\(share) %)  \(Int(rate)) a second  \(left) s left"
    Terminal.progress(
      text, rewriting: isTerminal ? "\r\u{1B}[K" : "", end: isTerminal && done < total ? "" : "\n")
  }
}
