import FaceRecognition
import Files
import Foundation

/// The program's arguments, with the options of `train --config FILE` put behind them, so that checks and defaults are the
/// same whether an option stands on the command line or in the file. The command line wins.
struct ConfigurationArguments {
  let arguments: [String]
  /// The file, and the entries that were put behind.
  private let file: ConfigurationFile?
  private let taken: [ConfigurationFile.Entry]

  /// What the process was started with.
  static let ofProcess = Result { try ConfigurationArguments(Array(CommandLine.arguments.dropFirst())) }

  init(_ given: [String]) throws {
    guard given.first == "train", let path = try Self.path(in: given) else {
      (arguments, file, taken) = (given, nil, [])
      return
    }
    let file = try ConfigurationFile(path: path)
    let known = KnownOption.ofTraining
    var arguments = given
    var taken: [ConfigurationFile.Entry] = []
    let names = Self.names(in: given)
    for entry in file.entries {
      guard let option = known[entry.key] else { throw Self.unknown(entry, in: file, known.keys.sorted()) }
      let added = try option.arguments(entry, in: file)
      guard !names.contains(entry.key), !Self.isDisplaced(entry.key, by: names, given) else { continue }
      arguments += added
      taken.append(entry)
    }
    (self.arguments, self.file, self.taken) = (arguments, file, taken)
  }

  /// The names of the options in `arguments`, a "no-" of flags taken off.
  var names: Set<String> { Self.names(in: arguments) }

  /// The line of the file that a message of the parser speaks of.
  func located(_ message: String) -> ConfigurationError? {
    guard let file else { return nil }
    let words = Set(message.matches(of: /--([a-z0-9-]+)/).map { String($0.1) })
    guard let entry = taken.first(where: { words.contains($0.key) }) else { return nil }
    return ConfigurationError(file.path, line: entry.line, message)
  }

  private static func path(in arguments: [String]) throws -> String? {
    var paths: [String] = []
    for (index, argument) in arguments.enumerated() {
      if argument == "--config", index + 1 < arguments.count { paths.append(arguments[index + 1]) }
      if argument.hasPrefix("--config=") { paths.append(String(argument.dropFirst("--config=".count))) }
    }
    guard paths.count <= 1 else { throw ConfigurationError(paths[1], "give one --config, not \(paths.count).") }
    return paths.first
  }

  private static func names(in arguments: [String]) -> Set<String> {
    let names = arguments.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2).prefix { $0 != "=" }) }
    return Set(names + names.filter { $0.hasPrefix("no-") }.map { String($0.dropFirst(3)) })
  }

  /// Options that exclude each other: one on the command line takes the other's place.
  private static let rivals = [
    ["epochs", "steps"], ["logit-multiplier", "logit-scale"], ["resume", "resume-or-start"],
  ]

  private static func isDisplaced(_ key: String, by names: Set<String>, _ given: [String]) -> Bool {
    if rivals.contains(where: { $0.contains(key) && !names.isDisjoint(with: $0) }) { return true }
    // Milestones belong to one schedule, a list's images to the list.
    if key == "validation-images" { return names.contains("validation") }
    guard key == "milestones", names.contains("schedule") else { return false }
    return !given.contains("--schedule=step")
      && !zip(given, given.dropFirst()).contains { $0 == ("--schedule", "step") }
  }

  private static func unknown(
    _ entry: ConfigurationFile.Entry, in file: ConfigurationFile, _ known: [String]
  ) -> ConfigurationError {
    if let former = FormerFlag.named(entry.key, of: "train") {
      return ConfigurationError(file.path, line: entry.line, "'\(entry.key)' is now '\(former.now.dropFirst(2))'.")
    }
    let nearest = NearestName.of(entry.key, in: known).map { "; did you mean '\($0)'?" } ?? "."
    return ConfigurationError(file.path, line: entry.line, "there is no option '\(entry.key)'\(nearest)")
  }
}
