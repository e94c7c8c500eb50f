import FaceRecognition
import Foundation

/// An option of a command as the parser knows it, and what a configuration may say of it.
struct KnownOption: Decodable {
  enum Kind: String, Decodable { case positional, option, flag }

  struct Name: Decodable {
    let kind: String
    let name: String
  }

  let kind: Kind
  let names: [Name]?
  let isRepeating: Bool
  let parsingStrategy: String

  private struct Tool: Decodable {
    struct Command: Decodable { let arguments: [KnownOption]? }
    let command: Command
  }

  /// Those of `train` that a configuration may give, by name.
  static let ofTraining: [String: KnownOption] = {
    guard let tool = try? JSONDecoder().decode(Tool.self, from: Data(TrainCommand._dumpHelp().utf8)) else {
      preconditionFailure("The parser's description of train has another form")
    }
    var known: [String: KnownOption] = [:]
    for option in tool.command.arguments ?? [] where option.kind != .positional {
      for name in option.names ?? [] where name.kind == "long" { known[name.name] = option }
    }
    for name in ["help", "version", "config"] { known[name] = nil }
    return known
  }()

  /// The arguments that say what an entry of a configuration says.
  ///
  /// - Throws: a `ConfigurationError` where it is a list and must not be, or a flag that is neither true nor false.
  func arguments(_ entry: ConfigurationFile.Entry, in file: ConfigurationFile) throws -> [String] {
    guard isRepeating || !entry.isList else {
      throw ConfigurationError(file.path, line: entry.line, "'\(entry.key)' takes one value, not a list.")
    }
    switch kind {
    case .flag:
      guard let value = Bool(entry.values[0]) else {
        throw ConfigurationError(
          file.path, line: entry.line, "'\(entry.key)' is \(entry.values[0]), but true or false is needed.")
      }
      if value { return ["--\(entry.key)"] }
      // A flag that can be turned off has a name for that, which the parser knows as another option.
      let opposite = "no-\(entry.key)"
      return Self.ofTraining[opposite] == nil ? [] : ["--\(opposite)"]
    case .option, .positional:
      if entry.isList && entry.values.isEmpty { return [] }
      // With the sign between them a value may begin with a dash.
      guard isRepeating else { return ["--\(entry.key)=\(entry.values[0])"] }
      return parsingStrategy == "upToNextOption"
        ? ["--\(entry.key)"] + entry.values : entry.values.map { "--\(entry.key)=\($0)" }
    }
  }
}
