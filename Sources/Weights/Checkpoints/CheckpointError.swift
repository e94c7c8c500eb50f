import Files

/// A checkpoint, or a run's checkpoints, that cannot be used.
package enum CheckpointError: Error, Equatable, CustomStringConvertible {
  case damaged(String, [CheckpointDamage])
  /// Not damaged, and so never set aside.
  case newerFormat(String, format: Int, program: String)
  case none(run: String)
  /// All were damaged; the paths that they have now.
  case noneWhole(run: String, setAside: [String])

  package var description: String {
    switch self {
    case .damaged(let path, let damage):
      return "The checkpoint '\(path.printableName)' is damaged: \(Self.list(damage.map(\.description)))."
    case .newerFormat(let path, let format, let program):
      return
        "The checkpoint '\(path.printableName)' has format \(format), written by \(program); \(ProgramVersion.name) reads up to"
        + " \(CheckpointDocument.currentFormat). Use the program that wrote it, or a newer one."
    case .none(let run):
      return
        "The run '\(run.printableName)' has no checkpoint to resume from. Start it anew, or give the folder of another run."
    case .noneWhole(let run, let setAside):
      return "The run '\(run.printableName)' has no whole checkpoint to resume from; the damaged ones are now"
        + " \(Self.list(setAside.map { "'\($0)'" })). `cosface inspect` says what is wrong with each."
    }
  }

  /// The first few; a file that was overwritten may have hundreds of bad tensors.
  private static func list(_ items: [String]) -> String {
    let shown = items.prefix(4).joined(separator: "; ")
    return items.count > 4 ? "\(shown); and \(items.count - 4) more" : shown
  }
}
