import Files
import Foundation

/// A line of a `StepLog`.
package protocol StepLine: Codable {
  /// Counted from 0 over all epochs.
  var step: Int { get }
}

/// A file of JSON objects, one line a step, with which a resumed run goes on.
package final class StepLog<Line: StepLine> {
  private let path: String
  private let descriptor: CInt
  private let encoder = JSONEncoder()

  /// An empty file; with `step`, the file as it is, but for lines of steps that will be trained again, and a line that
  /// was cut off.
  package init(path: String, keepingStepsBefore step: Int? = nil) throws {
    var kept = ""
    if let step, let text = try? String(contentsOfFile: path, encoding: .utf8) {
      for line in text.split(separator: "\n") {
        guard let old = try? JSONDecoder().decode(Line.self, from: Data(line.utf8)), old.step < step else { continue }
        kept += line + "\n"
      }
    }
    try AtomicFile.write(Data(kept.utf8), to: path)
    descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", path) }
    self.path = path
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  }

  deinit { close(descriptor) }

  /// Throws `FileError`.
  package func write(_ line: Line) throws {
    let bytes = Array(try encoder.encode(line)) + [UInt8(ascii: "\n")]
    try bytes.withUnsafeBytes { try AtomicFile.write($0, to: descriptor, path: path) }
  }
}
