package import Files

// Options by name: what files, flags and ranks know of them.
extension TrainingOptions {
  package static let defaults = TrainingOptions(data: [], output: "")

  /// Every option as it is declared.
  package static let declared = Dictionary(uniqueKeysWithValues: defaults.settings)

  /// Names that options had in checkpoints and configurations of before.
  package static let renamed = ["maxPerPerson": "maxImagesPerPerson"]

  /// In the order of their declaration.
  var settings: [(name: String, setting: any AnySetting)] {
    Mirror(reflecting: self).children.map { name, setting in
      guard let name, let setting = setting as? any AnySetting else {
        preconditionFailure("An option that is no @Setting")
      }
      return (String(name.dropFirst()), setting)
    }
  }

  /// Every option's value.
  package func values() throws -> [String: JSONValue] {
    guard case .object(let members) = try JSONValue(encoding: self) else {
      preconditionFailure("Options are written as an object")
    }
    return members
  }

  /// These values, and the defaults of all other options.
  package init(_ values: [String: JSONValue]) throws {
    let values = try Self.defaults.values().merging(values) { $1 }
    self = try JSONValue.object(values).decode(as: TrainingOptions.self)
  }

  /// The options of a run's or a checkpoint's file, of programs before this one, too.
  package init(configuration: [String: JSONValue]) throws {
    var values = configuration
    for (old, new) in Self.renamed { values[new] = values[new] ?? values.removeValue(forKey: old) }
    // One set alone, in former versions.
    if case .string? = values["validation"] { values["validation"] = .array([values["validation"]!]) }
    self = try TrainingOptions(values)
    // Whoever trained with such a margin had said so.
    if configuration["allowLargeMargin"] == nil, marginKind != .angular, margin ?? 0 >= 0.5 { allowLargeMargin = true }
  }

  /// "batchSize" as "batch-size", as the command line calls it.
  package static func flag(of name: String) -> String {
    name.map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
  }

  /// "batch-size" as "batchSize".
  package static func name(of flag: some StringProtocol) -> String {
    let words = flag.split(separator: "-")
    return words.dropFirst().reduce(String(words.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
  }
}
