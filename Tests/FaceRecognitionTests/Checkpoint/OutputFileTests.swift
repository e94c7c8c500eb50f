import Datasets
import Files
import Foundation
import TestSupport
import Testing

/// Links in a folder that is written to: what they lead to stays as it is. The folder itself may be a link.
@Suite(.serialized) struct OutputFileTests {
  private let folder: TemporaryFolder
  private let victim: String
  private static let precious = Data("precious\n".utf8)

  init() throws {
    folder = try TemporaryFolder()
    victim = try folder.write(Self.precious, to: "victim")
  }

  private func link(_ name: String, to target: String? = nil) throws {
    try? FileManager.default.removeItem(atPath: folder[name])
    try FileManager.default.createSymbolicLink(atPath: folder[name], withDestinationPath: target ?? victim)
  }

  private func expectVictimWhole(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let bytes = try? Data(contentsOf: URL(fileURLWithPath: victim))
    #expect(bytes == Self.precious, "\(what)", sourceLocation: sourceLocation)
  }

  private func train(_ faces: FaceFolder, _ more: [String]) throws -> Subprocess.Outcome {
    try Subprocess.cosface(
      [
        "train", "--data", faces.path, "--network", "spherenet20", "--embedding", "16", "--input-size", "16",
        "--batch-size", "4", "--steps", "3", "--optimizer", "sgd", "--learning-rate", "0.001",
      ] + more)
  }

  @Test func filesOfARun() throws {
    let faces = try FaceFolder(people: 2, images: 4, side: 16)
    // The folder on another disk, as people have it.
    try folder.write(to: "disk/other")
    try link("run", to: folder["disk"])
    try link("run/.lock")
    expectRefusal(try train(faces, ["--output", folder["run"]]), "run/.lock", "a symbolic link is in the way")
    expectVictimWhole(".lock")
    try FileManager.default.removeItem(atPath: folder["run"])
    try FileManager.default.removeItem(atPath: folder["disk"])
    try folder.write(to: "disk/other")
    try link("run", to: folder["disk"])
    let first = try train(faces, ["--output", folder["run"], "--stop-after", "1"])
    #expect(first.exitCode == 75, "\(first.text)")
    #expect(FileManager.default.fileExists(atPath: folder["disk/metrics.jsonl"]))
    for name in [".lock", "starts.jsonl"] {
      let aside = folder["disk/aside"]
      try FileManager.default.moveItem(atPath: folder["disk/\(name)"], toPath: aside)
      try link("disk/\(name)")
      expectRefusal(
        try Subprocess.cosface(["train", "--resume", folder["run"]]), name, "a symbolic link is in the way",
        "remove the link")
      expectVictimWhole(name)
      try FileManager.default.removeItem(atPath: folder["disk/\(name)"])
      try FileManager.default.moveItem(atPath: aside, toPath: folder["disk/\(name)"])
    }
    // Written whole beside and renamed: the link goes, and what it leads to stays.
    for name in ["metrics.jsonl", "configuration.json", "run.yaml", "model.safetensors"] { try link("disk/\(name)") }
    let last = try Subprocess.cosface(["train", "--resume", folder["run"]])
    #expect(last.exitCode == 0, "\(last.text)")
    expectVictimWhole("a run's files")
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder["disk/model.safetensors"])).count > 1000)
  }

  /// A pipe without a reader must not be waited for, nor a folder be taken for a file.
  @Test func whatIsNoFile() throws {
    let faces = try FaceFolder(people: 2, images: 2, side: 12)
    let packer = RecordPacker(try ImageSet.open(faces.path), output: folder["train.rec"], reencoding: .init())
    mkfifo(folder[".pack.lock"], 0o666)
    let pipe = #expect(throws: FileError.self) { try packer.run() }
    #expect(pipe.map { "\($0)" }?.contains("Something else already has this name") == true)
    try FileManager.default.removeItem(atPath: folder[".pack.lock"])
    mkfifo(folder["train.rec.partial"], 0o666)
    #expect(throws: FileError.self) { try packer.run() }
    try FileManager.default.removeItem(atPath: folder["train.rec.partial"])
    #expect(try packer.run().images == 4)
  }

  @Test(arguments: [".pack.lock", "train.rec.partial"]) func filesOfAPacking(name: String) throws {
    let faces = try FaceFolder(people: 2, images: 2, side: 12)
    let packer = RecordPacker(try ImageSet.open(faces.path), output: folder["train.rec"], reencoding: .init())
    try link(name)
    let error = #expect(throws: FileError.self) { try packer.run() }
    #expect(error?.path == folder[name] && error?.code == ELOOP)
    expectVictimWhole(name)
    #expect(!FileManager.default.fileExists(atPath: folder["train.rec"]))
    try FileManager.default.removeItem(atPath: folder[name])
    #expect(try packer.run().images == 4)
  }

  /// Those that are renamed to their name: the link goes, and what it leads to stays.
  @Test func filesThatAreRenamed() throws {
    let faces = try FaceFolder(people: 2, images: 2, side: 12)
    let packer = RecordPacker(try ImageSet.open(faces.path), output: folder["train.rec"], reencoding: .init())
    for name in ["train.idx", "train.rec.catalog", "train.rec.partial.json"] { try link(name) }
    #expect(try packer.run().images == 4)
    expectVictimWhole("a packing's files")
    try link("out.json")
    try AtomicFile.write(Data("new".utf8), to: folder["out.json"])
    expectVictimWhole("a file that is written whole")
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder["out.json"])) == Data("new".utf8))
  }

  /// A journal that cannot be read is no reason to begin hours of work anew.
  @Test func aJournalThatCannotBeRead() throws {
    let faces = try FaceFolder(people: 2, images: 2, side: 12)
    let packer = RecordPacker(try ImageSet.open(faces.path), output: folder["train.rec"], reencoding: .init())
    try folder.write(Data("hours of work".utf8), to: "train.rec.partial")
    try link("train.rec.partial.json", to: folder["train.rec.partial.json"])
    let error = #expect(throws: DataError.self) { try packer.run() }
    #expect(error.map { "\($0)" }?.contains("train.rec.partial.json") == true)
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder["train.rec.partial"])) == Data("hours of work".utf8))
  }
}
