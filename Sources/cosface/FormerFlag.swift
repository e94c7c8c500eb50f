import ArgumentParser
import Training

/// A flag that is called otherwise now: who gives the former name is told of the new one.
struct FormerFlag {
  /// The words of the commands that had it.
  let commands: [String]
  let name: String
  /// What to write in its place.
  let now: String

  private static let all =
    TrainingOptions.renamed.map { old, new in
      FormerFlag(commands: ["train"], name: TrainingOptions.flag(of: old), now: "--" + TrainingOptions.flag(of: new))
    } + [
      FormerFlag(commands: ["dataset check", "dataset pack", "dataset align"], name: "threads", now: "--workers"),
      FormerFlag(commands: ["compare", "identify"], name: "no-flip", now: "--flip none"),
    ]

  static func named(_ name: String, of command: String) -> FormerFlag? {
    all.first { $0.name == name && $0.commands.contains(command) }
  }

  /// - Throws: `ValidationError` for the first former flag of a command line.
  static func refuse(in arguments: [String]) throws {
    for argument in arguments where argument.hasPrefix("--") {
      let name = String(argument.dropFirst(2).prefix { $0 != "=" })
      let commands = [arguments[0], arguments.prefix(2).joined(separator: " ")]
      guard let flag = commands.lazy.compactMap({ named(name, of: $0) }).first else { continue }
      throw ValidationError("--\(name) is now \(flag.now).")
    }
  }
}
