import Files
import Foundation
package import Training

/// What a run's folder says of it, as far as it can be read; what cannot is named in `notes`.
package struct RunRecord: Sendable {
  package let name: String
  package let path: String
  /// Every option and its value as they stand on the command line, in the order of their names.
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
    self.options = (try? options.values()).map(Self.options) ?? []
    (self.starts, self.history, notes, hasModel) = (starts, history, [], false)
  }

  /// Value of an option, such as "--batch-size", where the run has it.
  func option(_ name: String) -> String? { options.first { $0.name == name }?.value }

  /// Whether images have people, whom a classifier learns: else a teacher alone tells what to learn.
  var hasClassifier: Bool { option("--labels") != "no" }

  private static func name(of path: String) -> String {
    let name = FilePath.name(of: path)
    return name.isEmpty || name == "." ? path : name
  }
}

/// What a report cannot be made of.
package struct ReportError: Error, Equatable, CustomStringConvertible {
  package let reason: String
  package init(_ reason: String) { self.reason = reason }
  package var description: String { reason.printableName + "." }
}
