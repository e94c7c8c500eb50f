/// Options, data or people that are not those of the checkpoint.
package struct ResumeRefusal: Error, Equatable, CustomStringConvertible {
  package struct Row: Equatable, Sendable {
    let name: String
    let checkpoint: String
    let given: String
  }

  package let run: String
  package let rows: [Row]
  /// Whether --accept-changes helps; other people or images it cannot.
  package var isAcceptable = true

  package var description: String {
    let widths = (
      rows.map(\.name.count).max() ?? 0, max(rows.map(\.checkpoint.count).max() ?? 0, "checkpoint".count)
    )
    func line(_ name: String, _ checkpoint: String, _ given: String) -> String {
      "  " + name.padding(to: widths.0) + "  " + checkpoint.padding(to: widths.1) + "  " + given
    }
    return "The run '\(run)' cannot go on as it was:\n"
      + ([line("", "checkpoint", "now")] + rows.map { line($0.name, $0.checkpoint, $0.given) }).joined(separator: "\n")
      + (isAcceptable
        ? "\nLeave these options out, or accept the changes with --accept-changes."
        : "\nGive the folder that it was started with; for other people start a new run from its weights.")
  }
}

/// A number of ranks that does not divide the global batch.
package struct ResumeDivision: Error, Equatable, CustomStringConvertible {
  package let globalBatchSize: Int
  package let ranks: Int
  package let possible: [Int]

  package var description: String {
    "The run trains on \(globalBatchSize) samples a step, which \(ranks) ranks cannot divide evenly. "
      + "Use \(possible.map(String.init).joined(separator: ", ")) ranks."
  }
}

extension String {
  fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(width - count, 0)) }
}
