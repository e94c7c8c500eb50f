import Files
import Foundation
import Training

extension RunRecord {
  /// Those of a run's file; nil where there is none, or no JSON in it.
  static func options(in path: String) -> [(name: String, value: String)]? {
    guard let data = FileManager.default.contents(atPath: path),
      let value = try? JSONDecoder().decode(JSONValue.self, from: data), case .object(let members) = value
    else { return nil }
    // A run of a program before this one does not name the options that came since: they have their defaults.
    let known = (try? TrainingOptions(configuration: members)).flatMap { try? $0.values() }
    return options(members.filter { TrainingOptions.renamed[$0.key] == nil }.merging(known ?? [:]) { $1 })
  }

  /// Options as they are typed. Like `run.yaml`, they leave out what is said by saying nothing: no value, an empty
  /// list, a flag that is off unless given.
  static func options(_ values: [String: JSONValue]) -> [(name: String, value: String)] {
    let usual = (try? TrainingOptions.defaults.values()) ?? [:]
    return values.compactMap { name, value in
      if name == "length", case .string(let text) = value, let length = TrainingLength(text) { return typed(length) }
      if value == .boolean(false), usual[name] != .boolean(true) { return nil }
      let words = words(value)
      return words.isEmpty ? nil : (flag(name), words.joined(separator: " "))
    }.sorted { Name($0.name) < Name($1.name) }
  }

  private static func typed(_ length: TrainingLength) -> (name: String, value: String) {
    switch length {
    case .steps(let count): ("--steps", "\(count)")
    case .epochs: ("--epochs", String(length.description.dropLast()))
    }
  }

  /// What a file holds beside the options that there are stays as it is.
  private static func flag(_ name: String) -> String {
    TrainingOptions.declared[name] == nil ? name : "--" + TrainingOptions.flag(of: name)
  }

  private static func words(_ value: JSONValue) -> [String] {
    switch value {
    case .null: []
    case .boolean(let isOn): [isOn ? "yes" : "no"]
    case .string(let text): text.isEmpty ? [] : [text]
    case .array(let items): items.flatMap(words)
    default: [value.text]
    }
  }
}
