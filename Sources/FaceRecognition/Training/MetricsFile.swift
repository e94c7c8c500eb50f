import Foundation

/// `RUN/metrics.jsonl`: one JSON object a step, each line written whole.
package final class MetricsFile {
  package struct Line: Codable, Equatable, Sendable {
    /// Counted from 0 over all epochs.
    package var step: Int
    package var epoch: Int
    /// Mean over the step's samples of all ranks.
    package var loss: Double
    /// The logits' scale: gamma times the norm of the class weight's rows.
    package var scale: Double
    package var classWeightNorm: Double
    package var learningRate: Double
    package var samples: Int
    package var seconds: Double
    package var imagesPerSecond: Double
    /// Seconds that rank 0 waited for images in this step.
    package var dataSeconds: Double
    /// The share of the step that rank 0 spent in the MPI library: what communication was not hidden.
    package var communicationShare: Double
    /// Images that could not be read so far, over all ranks.
    package var badImages: Int
    /// On the steps after which the network was judged.
    package var accuracy: Double?
    package var areaUnderCurve: Double?
  }

  private let handle: FileHandle
  private let path: String
  private let encoder = JSONEncoder()

  package convenience init(path: String) throws(FileError) {
    guard FileManager.default.createFile(atPath: path, contents: nil) else { throw FileError("creating", path) }
    try self.init(appendingTo: path)
  }

  /// Goes on with the file of a run that is resumed: lines of steps that will be trained again go.
  package convenience init(path: String, keepingStepsBefore step: Int) throws {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let kept = text.split(separator: "\n").filter { line in
      guard let old = try? JSONDecoder().decode(Line.self, from: Data(line.utf8)) else { return false }
      return old.step < step
    }
    try AtomicFile.write(Data(kept.map { $0 + "\n" }.joined().utf8), to: path)
    try self.init(appendingTo: path)
  }

  private init(appendingTo path: String) throws(FileError) {
    self.path = path
    guard let handle = FileHandle(forWritingAtPath: path) else { throw FileError("opening", path) }
    self.handle = handle
    handle.seekToEndOfFile()
    encoder.outputFormatting = .sortedKeys
  }

  package func write(_ line: Line) throws {
    let data = try encoder.encode(line) + Data("\n".utf8)
    do {
      try handle.write(contentsOf: data)
    } catch { throw FileError("writing", path) }
  }

  package func close() throws { try handle.close() }
}
