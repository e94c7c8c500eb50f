import Foundation
import TestSupport

/// An option of one of the program's commands, as the parser itself describes it.
struct CommandLineOption: CustomStringConvertible, Sendable {
  /// Names of the command and those above it: ["bench", "step"].
  let command: [String]
  /// The long name, without dashes.
  let name: String
  /// "option" or "flag".
  let kind: String
  let help: String
  /// Of an option that takes one of several words.
  let values: [String]?
  let isRepeating: Bool

  var description: String { command.joined(separator: " ") + " --" + name }

  /// Those of all commands.
  static func all() throws -> [CommandLineOption] {
    let text = try Subprocess.cosface(["--experimental-dump-help"]).text
    return try JSONDecoder().decode(Tool.self, from: Data(text.utf8)).command.options(above: [])
  }

  private struct Tool: Decodable {
    let command: Command
  }

  private struct Command: Decodable {
    struct Argument: Decodable {
      struct Name: Decodable {
        let kind: String
        let name: String
      }
      let kind: String
      let names: [Name]?
      let abstract: String?
      let allValues: [String]?
      let isRepeating: Bool
    }
    let commandName: String
    let arguments: [Argument]?
    let subcommands: [Command]?

    func options(above: [String]) -> [CommandLineOption] {
      let path = above.isEmpty && commandName == "cosface" ? [] : above + [commandName]
      let own = (arguments ?? []).flatMap { argument in
        (argument.names ?? []).filter { $0.kind == "long" && !["help", "version"].contains($0.name) }.map {
          CommandLineOption(
            command: path, name: $0.name, kind: argument.kind, help: argument.abstract ?? "",
            values: argument.allValues, isRepeating: argument.isRepeating)
        }
      }
      return own + (subcommands ?? []).filter { $0.commandName != "help" }.flatMap { $0.options(above: path) }
    }
  }
}
