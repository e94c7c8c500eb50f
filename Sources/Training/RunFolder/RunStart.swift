import Files
import Foundation
import NeuralNetwork

/// A start of a run: a line of `starts.jsonl`, which says where and with what the steps from `firstStep` on were made.
package struct RunStart: Codable, Equatable, Sendable {
  /// ISO 8601, UTC.
  package var date = Date().formatted(.iso8601)
  package var firstStep: Int
  package var totalSteps: Int
  package var stepsPerEpoch: Int
  package var ranks: Int
  /// Host names with the number of their ranks.
  package var hosts: [String: Int]
  package var threadsPerRank: Int
  package var readersPerRank: Int
  package var globalBatchSize: Int
  package var images: Int
  package var people: Int
  package var parameters: Int
  package var program = ProgramVersion.name
  /// `Libraries.kernels` of rank 0.
  package var kernels: String? = Libraries.kernels
  /// `LibraryVersion.loaded` of rank 0.
  package var libraries: [String: String]? = LibraryVersion.loaded
  /// Of rank 0's node.
  package var processor = RunStart.processorName()
  package var cores = ProcessInfo.processInfo.activeProcessorCount
  package var memoryBytes = Int(clamping: ProcessInfo.processInfo.physicalMemory)
  package var system = ProgramVersion.system

  /// Appends it to the file.
  ///
  /// - Throws: `FileError`
  package func append(to path: String) throws {
    let descriptor = try OutputFile.open(path, O_RDWR | O_CREAT | O_APPEND)
    defer { close(descriptor) }
    // A line that was cut off must not swallow this one.
    let end = lseek(descriptor, 0, SEEK_END)
    var last = UInt8(ascii: "\n")
    if end > 0, pread(descriptor, &last, 1, end - 1) != 1 { throw FileError("read", path) }
    let start: [UInt8] = last == UInt8(ascii: "\n") ? [] : [UInt8(ascii: "\n")]
    let bytes = start + Array(try JSONText.line(self)) + [UInt8(ascii: "\n")]
    try bytes.withUnsafeBytes { try AtomicFile.write($0, to: descriptor, path: path) }
  }

  /// All starts of a file, and how many of its lines cannot be read; none where there is no file.
  package static func all(in path: String) -> (starts: [RunStart], damagedCount: Int) {
    guard let data = FileManager.default.contents(atPath: path) else { return ([], 0) }
    // By bytes: "\r\n" is one character, and not "\n".
    let lines = [UInt8](data).split { $0 == 10 || $0 == 13 }
    let starts = lines.compactMap { try? JSONDecoder().decode(RunStart.self, from: Data($0)) }
    return (starts, lines.count - starts.count)
  }

  private static func processorName() -> String {
    let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
    let name = lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last
    return name?.trimmingCharacters(in: .whitespaces) ?? "unknown"
  }
}
