import Datasets
import Files
import Foundation
import TestSupport
import Testing

/// A data file that somebody shortens while the program reads it, as a person meets it.
@Suite(.serialized) struct ShortenedFileCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder

  init() throws {
    faces = try FaceFolder(people: 4, images: 5)
    files = try TemporaryFolder()
    try files.write(to: "set/.keep")
  }

  /// Trains until `disturb` has had its effect, and tells how it ended.
  private func train(
    _ data: String, _ disturb: (Process) throws -> Void
  ) throws -> (status: Int32, isSignal: Bool, errors: String) {
    let process = Process()
    process.executableURL = Subprocess.products.appendingPathComponent("cosface")
    process.arguments = [
      "train", "--data", data, "--output", files["run"], "--network", "mobilefacenet", "--embedding", "32",
      "--input-size", "48", "--batch-size", "4", "--steps", "100000", "--threads", "1",
    ]
    var environment = ProcessInfo.processInfo.environment
    environment["OMP_NUM_THREADS"] = "1"
    process.environment = environment
    let errors = files["errors.txt"]
    try files.write(to: "errors.txt")
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
    try process.run()
    defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    let metrics = files["run/metrics.jsonl"]
    let deadline = Date() + 60
    while (FileManager.default.contents(atPath: metrics) ?? Data()).count < 200, process.isRunning, Date() < deadline {
      Thread.sleep(forTimeInterval: 0.02)
    }
    try disturb(process)
    while process.isRunning, Date() < deadline { Thread.sleep(forTimeInterval: 0.02) }
    try #require(!process.isRunning, "It goes on")
    let text = try String(contentsOfFile: errors, encoding: .utf8)
    return (process.terminationStatus, process.terminationReason == .uncaughtSignal, text)
  }

  private func record() throws -> String {
    let record = files["set/train.rec"]
    _ = try RecordPacker(ImageSet.open(faces.path), output: record, reencoding: .init()).run()
    return record
  }

  @Test(.timeLimit(.minutes(2))) func aRecordFileCutInUseIsNamed() throws {
    let record = try record()
    let (status, isSignal, errors) = try train(record) { _ in #expect(truncate(record, 0) == 0) }
    #expect(status == 70 && !isSignal)
    let told = errors.split(separator: "\n").filter { $0.hasPrefix("Error: ") }
    #expect(
      told == [
        "Error: \(record): the file was shortened while it was in use. Put the whole file there, and start again."
      ])
    #expect(!errors.contains("Fatal") && !errors.contains("crashed"), "\(errors)")
  }

  /// Signals of another cause end the program as they always did.
  @Test(.timeLimit(.minutes(2))) func anotherSIGBUSIsNotHidden() throws {
    let (status, isSignal, errors) = try train(try record()) { kill($0.processIdentifier, SIGBUS) }
    #expect(isSignal && status == SIGBUS)
    #expect(!errors.contains("shortened"), "\(errors)")
  }

  /// A file that was unmapped is none of ours any more: its place in the table is free for the next.
  @Test func placesInTheTableAreGivenBack() throws {
    let path = try files.write(Data([1, 2, 3]), to: "three")
    for _ in 0..<5000 {
      let file = try MappedFile(path: path)
      #expect(file.bytes.count == 3 && file.bytes[2] == 3)
    }
    // Others that stay open.
    let open = try (0..<1500).map { _ in try MappedFile(path: path) }
    #expect(open.allSatisfy { $0.bytes[0] == 1 })
  }
}
