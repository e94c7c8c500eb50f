import Files
import Foundation

/// A line of a `StepLog`.
package protocol StepLine: Codable {
  /// Counted from 0 over all epochs.
  var step: Int { get }
}

/// A file of JSON objects, one line a step, which a resumed run continues.
package final class StepLog<Line: StepLine> {
  /// A note about lines that could not be kept; nil where there are none.
  package let note: String?
  private let path: String
  private let descriptor: CInt

  /// An empty file; with `step`, the file as it is, but for lines of steps that will be trained again.
  ///
  /// A line that cannot be read is removed, too: other programs read the file. The file that had it stays beside the new one,
  /// as `PATH.damaged`, unless the line is the last one and was cut off, as when a run is killed.
  /// - Throws: `DataError` where there is a file that cannot be read, `FileError`. Nothing was written over then.
  package init(path: String, keepingStepsBefore step: Int? = nil) throws {
    if let step, FilePath.exists(path) {
      note = try Self.cut(path, before: step)
    } else {
      note = nil
      try AtomicFile.write(Data(), to: path)
    }
    descriptor = try OutputFile.open(path, O_WRONLY | O_APPEND)
    self.path = path
  }

  deinit { close(descriptor) }

  /// Throws `FileError`.
  package func write(_ line: Line) throws {
    let bytes = Array(try JSONText.line(line)) + [UInt8(ascii: "\n")]
    try bytes.withUnsafeBytes { try AtomicFile.write($0, to: descriptor, path: path) }
  }

  /// What lines of all versions have.
  private struct Position: Decodable { let step: Int }

  /// Writes the file anew without the lines from `step` on and those that cannot be read. Returns a note of the latter.
  private static func cut(_ path: String, before step: Int) throws -> String? {
    let old = try MappedFile(path: path)
    defer { withExtendedLifetime(old) {} }
    let file = try AtomicFile(path: path)
    let decoder = JSONDecoder()
    var kept: [UInt8] = []
    var (number, unreadable): (Int, [Int]) = (0, [])
    var rest = old.bytes[...]
    while !rest.isEmpty {
      let end = rest.firstIndex(of: UInt8(ascii: "\n"))
      let line = rest[..<(end ?? rest.endIndex)]
      rest = rest[(end.map { $0 + 1 } ?? rest.endIndex)...]
      number += 1
      // Checked by itself: the decoder does not look into what it does not need.
      if String(validating: line, as: UTF8.self) != nil,
        let position = try? decoder.decode(Position.self, from: Data(line))
      {
        if position.step < step { kept += line + [UInt8(ascii: "\n")] }
      } else if end != nil {
        unreadable.append(number)
      }
      if kept.count > 1 << 20 || rest.isEmpty {
        try kept.withUnsafeBytes { try file.write($0) }
        kept.removeAll(keepingCapacity: true)
      }
    }
    let note = try unreadable.first.map { try keepDamaged(old, path, count: unreadable.count, first: $0) }
    try file.commit()
    return note
  }

  private static func keepDamaged(_ old: MappedFile, _ path: String, count: Int, first: Int) throws -> String {
    var (aside, number) = (path + ".damaged", 1)
    while FilePath.exists(aside) {
      number += 1
      aside = "\(path).damaged-\(number)"
    }
    let copy = try AtomicFile(path: aside)
    try copy.write(old.bytes)
    try copy.commit()
    let lines =
      count == 1
      ? "line \(first) cannot be read and was" : "\(count) lines, the first is line \(first), cannot be read and were"
    return "\(path): \(lines) left out; the file as it was is now \(aside)"
  }
}

/// What one step trained on: a line of `RUN/samples.jsonl`.
package struct SampleLine: StepLine, Equatable, Sendable {
  package let step: Int
  package let epoch: Int
  /// Paths relative to the data: rank by rank, in the order of each rank's batch.
  package let images: [String]
  /// How many of them each rank had.
  package let counts: [Int]
}
