import Files
import Foundation
import Testing

@Suite struct AtomicFileTests {
  @Test func replacesWhole() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write(Data("first, and long".utf8), to: folder["a.json"])
    try AtomicFile.write(Data("second".utf8), to: folder["a.json"])
    #expect(try String(contentsOfFile: folder["a.json"], encoding: .utf8) == "second")
    #expect(folder.names == ["a.json"])
  }

  @Test func withoutCommitTheFormerFileStays() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write(Data("former".utf8), to: folder["a"])
    do {
      let file = try AtomicFile(path: folder["a"])
      try withUnsafeBytes(of: UInt64(7)) { try file.write($0) }
      #expect(folder.names.count == 2)
      #expect(folder.names.filter(AtomicFile.isTemporary).count == 1)
      _ = consume file
    }
    #expect(folder.names == ["a"])
    #expect(try String(contentsOfFile: folder["a"], encoding: .utf8) == "former")
  }

  @Test func failedRenameLeavesNothing() throws {
    let folder = try TemporaryFolder()
    try folder.write(to: "taken/inside")
    let error = #expect(throws: FileError.self) { try AtomicFile.write(Data([1]), to: folder["taken"]) }
    #expect(error?.path == folder["taken"])
    #expect(error.map { "\($0)" }?.contains("move it away") == true)
    #expect(folder.names == ["taken"])
  }

  @Test func folderThatIsNone() throws {
    let folder = try TemporaryFolder()
    try folder.write(to: "file")
    let below = #expect(throws: FileError.self) { try AtomicFile.write(Data(), to: folder["file/a"]) }
    #expect(below?.code == ENOTDIR)
    let absent = #expect(throws: FileError.self) { try AtomicFile.write(Data(), to: folder["absent/a"]) }
    #expect(absent?.code == ENOENT)
    #expect(absent.map { "\($0)" }?.contains(folder["absent/a"]) == true)
    let nameless = #expect(throws: FileError.self) { try AtomicFile.write(Data(), to: folder.path + "/") }
    #expect(nameless?.code == EISDIR)
  }

  /// `/dev/full` answers every write as a full disk does.
  @Test func fullDiskIsNamed() throws {
    let descriptor = open("/dev/full", O_WRONLY)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let error = #expect(throws: FileError.self) {
      try withUnsafeBytes(of: UInt64(7)) { try AtomicFile.write($0, to: descriptor, path: "run/model.safetensors") }
    }
    #expect(
      error.map { "\($0)" }
        == "Cannot write 'run/model.safetensors': No space left on device (errno 28). "
        + "The disk is full: make space or choose a folder on another disk.")
  }

  @Test func namesOfTemporaries() {
    #expect(AtomicFile.isTemporary(".model.safetensors.4711-3.tmp"))
    for name in ["model.safetensors", ".hidden", "a.1-2.tmp", ".a.tmp", ".a.x-1.tmp"] {
      #expect(!AtomicFile.isTemporary(name), "\(name)")
    }
  }
}
