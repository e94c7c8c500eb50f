import Datasets
import Files
import Foundation
import TestSupport
import Testing

@Suite struct RecordPackerTests {
  private let faces: FaceFolder
  private let output = TestFolder()

  init() throws { faces = try FaceFolder(people: 3, images: 4, side: 12) }

  private func packer(
    _ name: String, _ reencoding: ImageReencoding = .init(), endingAfter limit: Int = .max
  ) throws -> RecordPacker {
    output.makeFolder(name)
    let source = EndingSource(base: try ImageSet.open(faces.path), limit: limit)
    return RecordPacker(source, output: "\(output.path)/\(name)/train.rec", reencoding: reencoding)
  }

  /// What ends a packing before its end.
  private struct Stop: Error {}

  /// A source of which only the first images can be had.
  private struct EndingSource: ImageSource {
    let base: any ImageSource
    let limit: Int

    var location: String { base.location }
    var count: Int { base.count }
    var classNames: [Name] { base.classNames }
    func label(of sample: Int) -> Int { base.label(of: sample) }
    func identifier(of sample: Int) -> String { base.identifier(of: sample) }
    func encodedSize(of sample: Int) throws -> Int { try base.encodedSize(of: sample) }

    func withEncodedImage<Result>(
      of sample: Int, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
      guard sample < limit else { throw Stop() }
      return try base.withEncodedImage(of: sample, scratch: scratch, body)
    }
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(output.path)/\(name)")))
  }

  private func digest(_ name: String) throws -> String { try bytes(name).withUnsafeBytes { "\(Digest(of: $0))" } }

  @Test func bytesOfAnIndependentWriter() throws {
    let summary = try packer("a").run()
    #expect(summary.images == 12 && summary.people == 3 && summary.skipped.isEmpty)
    #expect(try summary.bytes == bytes("a/train.rec").count)
    let source = try ImageFolder(root: faces.path)
    let people = try (0..<3).map { person in
      try (0..<12).filter { source.label(of: $0) == person }.map(source.encodedImage)
    }
    let expected = RecordFixture.insightFace(people)
    #expect(try bytes("a/train.rec") == expected.bytes)
    #expect(try bytes("a/train.idx") == Array(expected.index.utf8))
    #expect(try bytes("a/property") == Array("3,12,12\n".utf8))
    // Those of Tests/Recipes/records.py write.
    #expect(try digest("a/train.rec") == "fb00cf886a7ceb5882f062156d768fb4")
    #expect(try digest("a/train.idx") == "c8c269298e18b8be15a58025b768d02d")
  }

  @Test func readsBackWithNames() throws {
    _ = try packer("a").run()
    let folder = try ImageFolder(root: faces.path)
    let packed = try RecordSet(path: output.path + "/a/train.rec")
    #expect(packed.warrant == .catalog)
    #expect(packed.classNames == folder.classNames)
    #expect((0..<12).map(packed.identifier) == (0..<12).map(folder.identifier))
    #expect(try (0..<12).map(packed.encodedImage) == (0..<12).map(folder.encodedImage))
    // Names, labels and sizes are the same: a run on the folder may go on with the .rec.
    #expect(try packed.fingerprint() == folder.fingerprint())
    try FileManager.default.removeItem(atPath: output.path + "/a/train.rec.catalog")
    let bare = try RecordSet(path: output.path + "/a/train.rec")
    #expect(bare.warrant == .ranges && bare.classNames == ["0", "1", "2"])
    #expect(try (0..<12).map(bare.encodedImage) == (0..<12).map(folder.encodedImage))
  }

  @Test func threadsChangeNothing() throws {
    for (name, workers) in [("one", 1), ("five", 5)] {
      var packer = try packer(name, .init(side: 20, quality: 80))
      packer.workers = workers
      _ = try packer.run()
    }
    for file in ["train.rec", "train.idx", "property", "train.rec.catalog"] {
      #expect(try bytes("one/" + file) == bytes("five/" + file))
    }
  }

  /// Stopped after each number of images, and gone on with.
  @Test func interruptionsChangeNothing() throws {
    _ = try packer("whole").run()
    for last in 1..<12 {
      var ending = try packer("parted", endingAfter: last)
      ending.journalInterval = 500
      #expect(throws: Stop.self) { try ending.run() }
      let packer = try packer("parted")
      #expect(!FileManager.default.fileExists(atPath: packer.output))
      var first: Int?
      _ = try packer.run { first = first ?? $0 }
      // An image is 157 bytes, so that every third or fourth is journalled.
      #expect(try #require(first) > last - 4)
      if last > 4 { #expect(try #require(first) > 1) }
      for file in ["train.rec", "train.idx", "property", "train.rec.catalog"] {
        #expect(try bytes("whole/" + file) == bytes("parted/" + file), "\(file) after \(last)")
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: output.path + "/parted")
      #expect(names.sorted() == ["property", "train.idx", "train.rec", "train.rec.catalog"])
      try FileManager.default.removeItem(atPath: output.path + "/parted")
    }
  }

  /// What lies there of other work, or damaged, is not gone on with.
  @Test func damagedPartsAreDoneAgain() throws {
    _ = try packer("whole").run()
    for damage in 0..<4 {
      var ending = try packer("parted", endingAfter: 9)
      ending.journalInterval = 300
      #expect(throws: Stop.self) { try ending.run() }
      let partial = ending.output + ".partial"
      var bytes = try bytes("parted/train.rec.partial")
      switch damage {
      case 0: bytes.removeLast(bytes.count - 100)
      case 1: bytes[200] ^= 0xFF
      case 2: output.write(Array("{}".utf8), "parted/train.rec.partial.json")
      default: try faces.write(FaceFolder.pgm(person: 0, image: 0, side: 12), to: "p00/00.pgm")
      }
      if damage < 2 { output.write(bytes, "parted/" + (partial as NSString).lastPathComponent) }
      _ = try packer("parted").run()
      #expect(try self.bytes("parted/train.rec") == self.bytes("whole/train.rec"), "\(damage)")
      try FileManager.default.removeItem(atPath: output.path + "/parted")
    }
  }

  @Test func reencodingOnlyWhenAsked() throws {
    _ = try packer("small", .init(side: 8)).run()
    let small = try RecordSet(path: output.path + "/small/train.rec")
    #expect(try small.encodedImage(of: 0).prefix(2) == [0xFF, 0xD8])
    #expect(try bytes("small/property") == Array("3,8,8\n".utf8))
    // Already of this size.
    _ = try packer("same", .init(side: 12)).run()
    let same = try RecordSet(path: output.path + "/same/train.rec")
    #expect(try same.encodedImage(of: 0) == ImageFolder(root: faces.path).encodedImage(of: 0))
    _ = try packer("jpeg", .init(quality: 90)).run()
    let jpeg = try RecordSet(path: output.path + "/jpeg/train.rec")
    #expect(try jpeg.encodedImage(of: 0).prefix(2) == [0xFF, 0xD8])
    #expect(try bytes("jpeg/property") == Array("3,12,12\n".utf8))
  }

  @Test func unreadableImages() throws {
    try faces.write(Data("P5 12 12 255 short".utf8), to: FaceFolder.name(1, 2))
    #expect(throws: DataError.self) { try self.packer("a").run() }
    var packer = try self.packer("b")
    packer.skipsUnreadable = true
    let summary = try packer.run()
    #expect(summary.images == 11 && summary.skipped.map(\.identifier) == ["p01/02.pgm"])
    let packed = try RecordSet(path: packer.output)
    #expect(packed.count == 11 && packed.identifier(of: 6) == "p01/03.pgm")
    try FileManager.default.removeItem(atPath: packer.output + ".catalog")
    #expect(try RecordSet(path: packer.output).warrant == .ranges)
    for image in 0..<4 { try faces.write(Data("none".utf8), to: FaceFolder.name(2, image)) }
    packer = try self.packer("c")
    packer.skipsUnreadable = true
    #expect(
      throws: DataError(
        "\(faces.path)/p02", "none of this person's images can be read", remedy: "Mend the images or remove the person."
      )
    ) {
      try packer.run()
    }
  }

  /// A second packing into the folder, of the same or other options or name, is refused, and the first is not disturbed.
  @Test func oneAtATime() throws {
    _ = try packer("alone").run()
    let first = try packer("a")
    var refusals: [String] = []
    _ = try first.run { done in
      guard done == 5 else { return }
      for (name, size) in [("train", nil), ("train", 8), ("other", nil)] {
        let second = RecordPacker(
          first.source, output: "\(self.output.path)/a/\(name).rec", reencoding: .init(side: size))
        do {
          _ = try second.run()
          refusals.append("none")
        } catch { refusals.append("\(error)") }
      }
    }
    #expect(refusals.count == 3)
    for refusal in refusals {
      #expect(refusal.hasPrefix("\(output.path)/a: another packing writes into this folder: process "), "\(refusal)")
      #expect(refusal.hasSuffix("Wait for it to end, or give another folder."))
    }
    for file in ["train.rec", "train.idx", "property", "train.rec.catalog"] {
      #expect(try bytes("a/" + file) == bytes("alone/" + file))
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: output.path + "/a")
    #expect(names.sorted() == ["property", "train.idx", "train.rec", "train.rec.catalog"])
  }

  @Test func nothingIsOverwritten() throws {
    _ = try packer("a").run()
    #expect(throws: DataError.self) { try packer("a").run() }
    let other = RecordPacker(
      try ImageSet.open(faces.path), output: output.path + "/a/other.rec", reencoding: .init())
    #expect(
      throws: DataError(
        "\(output.path)/a/property", "it belongs to another set in this folder",
        remedy: "Give a folder of its own, or remove the set.")
    ) {
      try other.run()
    }
    for path in ["\(output.path)/none/x.rec", "\(output.path)/a.bin"] {
      let packer = RecordPacker(try ImageSet.open(faces.path), output: path, reencoding: .init())
      #expect(throws: DataError.self) { try packer.run() }
    }
  }
}
