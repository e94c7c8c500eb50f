import Files

/// Options, data or people that are not those of the checkpoint.
package struct ResumeRefusal: Error, Equatable, CustomStringConvertible {
  package struct Row: Equatable, Sendable {
    let name: String
    let checkpoint: String
    let given: String
    /// Whether --accept-changes takes what is given.
    let isAcceptable: Bool
  }

  package let run: String
  package let rows: [Row]

  package var description: String {
    let table =
      [["", "checkpoint", "now", "accepted by"]]
      + rows.map { [$0.name, $0.checkpoint, $0.given, $0.isAcceptable ? "--accept-changes" : "nothing"] }
    return "The run '\(run.printableName)' cannot go on as it was:\n"
      + TextTable.lines(table).map { "  " + $0 }.joined(separator: "\n")
      + (rows.allSatisfy(\.isAcceptable)
        ? "\nLeave these options out, or accept the changes with --accept-changes."
        : "\nLeave out what nothing accepts, or start a new run from this one's weights: --weights \(run.printableName) --output NEW")
  }
}

/// Options that are wrong together with those of the checkpoint.
package struct ResumeConflict: Error, Equatable, CustomStringConvertible {
  package let run: String
  package let conflict: String

  package var description: String { "The run '\(run.printableName)' cannot go on like this: \(conflict)" }
}

/// A number of ranks, or a batch size, that does not give the global batch of the checkpoint.
package enum ResumeDivision: Error, Equatable, CustomStringConvertible {
  case ranks(Int, globalBatchSize: Int, possible: [Int])
  case batchSize(Int, globalBatchSize: Int, ranks: Int, needed: Int)

  package var description: String {
    switch self {
    case .ranks(let ranks, let globalBatchSize, let possible):
      "The run trains on \(globalBatchSize) samples a step, which \(ranks) ranks cannot divide evenly. "
        + "Use \(possible.map(String.init).joined(separator: ", ")) ranks."
    case .batchSize(let given, let globalBatchSize, let ranks, let needed):
      "The run trains on \(globalBatchSize) samples a step, which on \(ranks) ranks is --batch-size \(needed), "
        + "not \(given). Leave it out: it follows from the checkpoint."
    }
  }
}
