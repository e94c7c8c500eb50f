import Files
import Foundation
package import Training

/// What the lines of `metrics.jsonl` come to: read from the file, or line by line while a run trains. Its memory is
/// bounded.
package struct MetricsHistory: Sendable {
  /// A line that is none: where, and why.
  package struct Damage: Equatable, Sendable, CustomStringConvertible {
    package let line: Int
    package let reason: String
    package var description: String { "line \(line): \(reason)" }
  }

  /// By the names of `MetricsFile.Line.scalars`.
  package private(set) var curves: [String: Curve] = [:]
  /// Names of the sets that the network was validated on, in the order of their first line.
  package private(set) var validationSets: [String] = []
  /// Accuracies by the set that chooses the best model, over the seconds that the steps before took.
  package private(set) var accuracyOverSeconds = Curve()
  package private(set) var steps = 0
  package private(set) var samples = 0
  package private(set) var seconds = 0.0
  /// Seconds of waiting for images.
  package private(set) var dataSeconds = 0.0
  /// Seconds in the MPI library: what communication was not hidden behind computing.
  package private(set) var communicationSeconds = 0.0
  package private(set) var last: MetricsFile.Line?
  package private(set) var best: (step: Int, accuracy: Double)?
  /// The first lines that could not be read.
  package private(set) var damaged: [Damage] = []
  package private(set) var damagedCount = 0

  /// What the steps' time went into.
  var parts: [(name: String, seconds: Double)] {
    [
      ("computing", max(seconds - dataSeconds - communicationSeconds, 0)), ("waiting for images", dataSeconds),
      ("communication that is not hidden", communicationSeconds),
    ]
  }

  private static let shownDamages = 20

  package init() {}

  /// Reads a file; lines that are broken are listed and left out.
  ///
  /// - Throws: `FileError` where there is no such file.
  package init(path: String) throws {
    guard FileManager.default.isReadableFile(atPath: path),
      let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    else { throw FileError("read", path) }
    let decoder = JSONDecoder()
    var (start, number) = (data.startIndex, 0)
    while start < data.endIndex {
      let end = data[start...].firstIndex(of: UInt8(ascii: "\n")) ?? data.endIndex
      number += 1
      add(data[start..<end], number: number, isWhole: end < data.endIndex, decoder)
      start = end < data.endIndex ? end + 1 : end
    }
  }

  /// Adds the next step.
  package mutating func add(_ line: MetricsFile.Line) {
    for (name, value) in line.scalars { curves[name, default: Curve()].append(value, at: line.step) }
    steps += 1
    samples += line.samples
    seconds += line.seconds
    dataSeconds += line.dataSeconds
    communicationSeconds += line.communicationShare * line.seconds
    last = line
    for set in (line.validations ?? []).map(\.set) where !validationSets.contains(set) { validationSets.append(set) }
    guard let accuracy = line.accuracy else { return }
    accuracyOverSeconds.append(accuracy, at: Int(seconds.rounded()))
    if accuracy > best?.accuracy ?? -1 { best = (line.step, accuracy) }
  }

  private mutating func add(_ bytes: Data, number: Int, isWhole: Bool, _ decoder: JSONDecoder) {
    do {
      let line = try decoder.decode(MetricsFile.Line.self, from: bytes)
      if let last, line.step <= last.step {
        note(number, "step \(line.step) comes after step \(last.step)")
      } else if !line.isPlausible {
        note(number, "a number in it is out of all bounds")
      } else {
        add(line)
      }
    } catch {
      note(number, isWhole ? Self.reason(error, bytes) : "the file ends in the middle of it")
    }
  }

  private mutating func note(_ number: Int, _ reason: String) {
    damagedCount += 1
    if damaged.count < Self.shownDamages { damaged.append(Damage(line: number, reason: reason)) }
  }

  private static func reason(_ error: any Error, _ bytes: Data) -> String {
    if bytes.isEmpty { return "it is empty" }
    switch error as? DecodingError {
    case .keyNotFound(let key, _): return "it has no '\(key.stringValue)'"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is of another type"
    default: return "it is no JSON"
    }
  }
}

extension MetricsFile.Line {
  /// Whether its numbers can be added up and drawn: a file may hold anything.
  fileprivate var isPlausible: Bool {
    let numbers = scalars.map(\.value) + [seconds, dataSeconds]
    return step >= 0 && step < 1 << 50 && samples >= 0 && samples < 1 << 40 && numbers.allSatisfy { abs($0) < 1e15 }
  }
}
