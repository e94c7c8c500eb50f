import Files
import Foundation
import Testing
import Training
import Weights

/// The files of a run that a resumed run goes on with: what can be read in them stays.
@Suite struct StepLogTests {
  private let folder: TemporaryFolder
  private var path: String { folder["metrics.jsonl"] }

  init() throws { folder = try TemporaryFolder() }

  private func line(_ step: Int) throws -> MetricsFile.Line {
    let json = """
      {"step":\(step),"epoch":0,"loss":1.5,"scale":2,"classWeightNorm":1,"learningRate":0.1,"samples":4,"seconds":0.25,
      "imagesPerSecond":16,"dataSeconds":0,"communicationShare":0,"badImages":0}
      """
    return try JSONDecoder().decode(MetricsFile.Line.self, from: Data(json.utf8))
  }

  /// Six steps, from 0 on; returns the lines with their ends.
  private func write() throws -> [Data] {
    let file = try MetricsFile(path: path)
    for step in 0..<6 { try file.write(try line(step)) }
    return try bytes().split(separator: 10).map { Data($0) + [10] }
  }

  private func bytes(_ name: String = "metrics.jsonl") throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder[name]))
  }

  private func put(_ data: Data) throws { try data.write(to: URL(fileURLWithPath: path)) }

  @Test func stepsThatComeAgainGo() throws {
    let lines = try write()
    let file = try MetricsFile(path: path, keepingStepsBefore: 4)
    #expect(try bytes() == Data(lines[..<4].joined()) && file.note == nil)
    try file.write(try line(4))
    #expect(try bytes() == Data(lines[..<5].joined()))
    #expect(folder.names == ["metrics.jsonl"])
  }

  /// A byte in the middle of a line, one between its lines, a line of something else.
  @Test(arguments: [[UInt8]([0xFF]), [0xC3, 0x28], [0], Array("no JSON".utf8), Array("{\"steps\":1}".utf8)])
  func aLineThatCannotBeRead(damage: [UInt8]) throws {
    let lines = try write()
    var changed = lines
    if damage.count <= 2 { changed[1].replaceSubrange(20..<(20 + damage.count), with: damage) }
    if damage.count > 2 { changed[1] = Data(damage) + [10] }
    let damaged = Data(changed.joined())
    try put(damaged)
    let file = try MetricsFile(path: path, keepingStepsBefore: 5)
    #expect(try bytes() == lines[0] + Data(lines[2..<5].joined()))
    #expect(file.note == "\(path): line 2 cannot be read and was left out; the file as it was is now \(path).damaged")
    #expect(try bytes("metrics.jsonl.damaged") == damaged)
  }

  @Test func severalThatCannotBeRead() throws {
    let lines = try write()
    try put(Data("a".utf8))
    try FileManager.default.moveItem(atPath: path, toPath: path + ".damaged")
    try put(lines[0] + [0xFE, 10] + lines[1] + [10] + lines[2])
    let file = try MetricsFile(path: path, keepingStepsBefore: 2)
    #expect(try bytes() == lines[0] + lines[1])
    #expect(file.note?.contains("2 lines, the first is line 2, cannot be read") == true, "\(file.note ?? "")")
    // One that was set aside before stays.
    #expect(folder.names == ["metrics.jsonl", "metrics.jsonl.damaged", "metrics.jsonl.damaged-2"])
  }

  /// As a kill leaves it, or a power failure: zeros where nothing came to the disk. Nobody need be told.
  @Test(arguments: [Data("{\"step\":3,\"lo".utf8), Data(count: 4096), Data()]) func anEndThatWasCutOff(end: Data) throws
  {
    let lines = try write()
    try put(Data(lines[..<3].joined()) + end)
    let file = try MetricsFile(path: path, keepingStepsBefore: 6)
    try file.write(try line(3))
    #expect(try bytes() == Data(lines[..<4].joined()) && file.note == nil)
    #expect(folder.names == ["metrics.jsonl"])
  }

  /// Lines of a version that wrote other numbers, and of editors with other line ends.
  @Test func linesOfOtherVersions() throws {
    let old = Data("{\"step\":0,\"loss\":2}\n{\"step\":1,\"more\":[1]}\r\n{\"step\":2}".utf8)
    try put(old)
    let file = try MetricsFile(path: path, keepingStepsBefore: 9)
    #expect(try bytes() == old + [10] && file.note == nil)
  }

  /// Whoever reads it gets an error: then nothing is written over it.
  @Test func aFileThatCannotBeRead() throws {
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
    let error = #expect(throws: DataError.self) { try MetricsFile(path: path, keepingStepsBefore: 3) }
    #expect(error.map { "\($0)" }?.contains("metrics.jsonl") == true)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == path)
    #expect(folder.names == ["metrics.jsonl"])
  }

  /// The start after a line that was cut off is not lost with it.
  @Test func startsAfterOneThatWasCutOff() throws {
    let json = """
      {"date":"2026-01-02T03:04:05Z","firstStep":7,"totalSteps":9,"stepsPerEpoch":3,"ranks":1,"hosts":{"a":1},
      "threadsPerRank":1,"readersPerRank":1,"globalBatchSize":4,"images":12,"people":3,"parameters":5,"program":"cosface",
      "processor":"x","cores":1,"memoryBytes":1,"system":"Linux"}
      """
    let start = try JSONDecoder().decode(RunStart.self, from: Data(json.utf8))
    try start.append(to: path)
    let whole = try bytes()
    try put(whole + whole.prefix(30))
    try start.append(to: path)
    let (starts, damagedCount) = RunStart.all(in: path)
    #expect(starts == [start, start] && damagedCount == 1)
    #expect(try bytes() == whole + whole.prefix(30) + [10] + whole)
  }

  /// A run whose checkpoints cannot be looked for is not one that never began.
  @Test func whatCannotBeLookedForIsNotAbsent() throws {
    let run = folder["run"]
    try folder.write(Data("old".utf8), to: "run/metrics.jsonl")
    let checkpoints = folder["run/checkpoints"]
    try FileManager.default.createSymbolicLink(atPath: checkpoints, withDestinationPath: checkpoints)
    #expect(throws: FileError.self) { try CheckpointStore(run: run).folders() }
    #expect(throws: FileError.self) { try RunFolder(run).refuseRun(mayBegin: true) }
  }
}
