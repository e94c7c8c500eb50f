import Files
import Foundation

/// Tells a person how training goes: a line that rewrites itself on a terminal, plain lines elsewhere.
final class ProgressReporter {
  private let totalSteps: Int
  private let epochs: Int
  private let isQuiet: Bool
  private let isTerminal = isatty(STDERR_FILENO) != 0
  /// Seconds between two plain lines.
  private let interval = 10.0
  private let start = ContinuousClock.now
  private var firstStep: Int?
  private var lastLine: ContinuousClock.Instant?

  /// `isQuiet` lets it say nothing at all.
  init(totalSteps: Int, epochs: Int, isQuiet: Bool = false) {
    self.isQuiet = isQuiet
    self.totalSteps = totalSteps
    self.epochs = epochs
  }

  func show(_ line: MetricsFile.Line, isLast: Bool) {
    let now = ContinuousClock.now
    let first = firstStep ?? line.step
    firstStep = first
    if !isTerminal, let lastLine, !isLast, (now - lastLine).seconds < interval { return }
    lastLine = now
    let done = line.step + 1 - first
    let left = (now - start).seconds / Double(done) * Double(totalSteps - line.step - 1)
    let text =
      "step \(line.step + 1)/\(totalSteps)  epoch \(line.epoch + 1)/\(epochs)  loss \(Self.fixed(line.loss, 4))"
      + (line.teacherCosine.map { "  teacher \(Self.fixed($0, 4))" } ?? "")
      + "  scale \(Self.fixed(line.scale, 2))  lr \(Self.fixed(line.learningRate, 5))"
      + "  \(Self.fixed(line.imagesPerSecond, 1)) images/s  \(Self.duration(left)) left"
    if isTerminal {
      let width = 24
      let filled = width * (line.step + 1) / totalSteps
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
      write("\(bar) \(text)", end: isLast ? "\n" : "")
    } else {
      write(text)
    }
  }

  /// A line of its own, which the bar makes way for.
  func say(_ text: String) { write(text) }

  private func write(_ text: String, end: String = "\n") {
    if !isQuiet { Terminal.progress(text, rewriting: isTerminal ? "\r\u{1B}[K" : "", end: end) }
  }

  private static func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

  private static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}
