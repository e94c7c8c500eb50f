import Files
import Foundation
package import Training

/// What a run's folder says of it, as far as it can be read; what cannot is named in `notes`.
package struct RunRecord: Sendable {
  package let name: String
  package let path: String
  /// Every option and its value, in the options' order of names.
  package let options: [(name: String, value: String)]
  package let starts: [RunStart]
  package let history: MetricsHistory
  /// What is missing or damaged.
  package let notes: [String]
  package let hasModel: Bool

  /// - Throws: `ReportError` where the folder holds no run.
  package init(folder: RunFolder) throws {
    path = folder.path
    name = Self.name(of: folder.path)
    var notes: [String] = []
    guard FileManager.default.fileExists(atPath: folder.metrics) else {
      throw ReportError("\(folder.path) holds no run: there is no \(folder.metrics)")
    }
    let history = try MetricsHistory(path: folder.metrics)
    if history.damagedCount > 0 {
      let more = history.damagedCount - history.damaged.count
      notes.append(
        "metrics.jsonl has \(history.damagedCount) lines that are left out here: "
          + history.damaged.map(\.description).joined(separator: "; ") + (more > 0 ? "; and \(more) more" : ""))
    }
    if history.steps == 0 { notes.append("metrics.jsonl holds no step") }
    let options = Self.options(in: folder.configuration)
    if options == nil { notes.append("configuration.json is missing or damaged") }
    hasModel = FileManager.default.fileExists(atPath: folder.model)
    let (starts, damagedCount) = RunStart.all(in: folder.starts)
    if damagedCount > 0 { notes.append("starts.jsonl has \(damagedCount) lines that cannot be read") }
    self.starts = starts
    self.history = history
    self.options = options ?? []
    self.notes = notes
  }

  /// A run at work, as its trainer knows it.
  init(folder: RunFolder, options: TrainingOptions, starts: [RunStart], history: MetricsHistory) {
    (path, name) = (folder.path, Self.name(of: folder.path))
    self.options = (try? JSONValue(encoding: options)).map(Self.options) ?? []
    (self.starts, self.history, notes, hasModel) = (starts, history, [], false)
  }

  /// Value of an option, where the configuration has it.
  func option(_ name: String) -> String? { options.first { $0.name == name }?.value }

  private static func name(of path: String) -> String {
    let name = FilePath.name(of: path)
    return name.isEmpty || name == "." ? path : name
  }

  private static func options(in path: String) -> [(name: String, value: String)]? {
    guard let data = FileManager.default.contents(atPath: path),
      let value = try? JSONDecoder().decode(JSONValue.self, from: data), case .object = value
    else { return nil }
    return options(value)
  }

  private static func options(_ configuration: JSONValue) -> [(name: String, value: String)] {
    guard case .object(let members) = configuration else { return [] }
    return members.sorted { $0.key < $1.key }.filter { $0.value != .null }.map { name, value in
      if case .string(let text) = value { (name, text) } else { (name, value.text) }
    }
  }
}

/// What a report cannot be made of.
package struct ReportError: Error, Equatable, CustomStringConvertible {
  package let reason: String
  package init(_ reason: String) { self.reason = reason }
  package var description: String { reason.printableName + "." }
}
