import Datasets
import Files
import Foundation
import TestSupport
import Testing

@Suite struct DatasetUnpackerTests {
  private let folder = TestFolder()

  private func unpack(_ path: String, _ name: String = "out") throws -> [String] {
    _ = try DatasetUnpacker(path: path, folder: "\(folder.path)/\(name)").run()
    let files = try #require(FileManager.default.enumerator(atPath: "\(folder.path)/\(name)"))
    return files.compactMap { $0 as? String }.filter { $0.contains(".") }.sorted()
  }

  @Test func backToTheFolder() throws {
    let faces = try FaceFolder(people: 3, images: 2, side: 12)
    folder.makeFolder("rec")
    _ = try RecordPacker(ImageSet.open(faces.path), output: folder.path + "/rec/x.rec", reencoding: .init()).run()
    _ = try unpack(folder.path + "/rec/x.rec")
    let (before, after) = (try ImageFolder(root: faces.path), try ImageFolder(root: folder.path + "/out"))
    #expect(try before.fingerprint() == after.fingerprint())
    #expect(try (0..<6).map(before.encodedImage) == (0..<6).map(after.encodedImage))
    // Without names: numbers, with the ending that the bytes ask for.
    try FileManager.default.removeItem(atPath: folder.path + "/rec/x.rec.catalog")
    #expect(
      try unpack(folder.path + "/rec/x.rec", "bare")
        == ["0/00000000.pgm", "0/00000001.pgm", "1/00000002.pgm", "1/00000003.pgm", "2/00000004.pgm", "2/00000005.pgm"])
  }

  @Test func binsWithTheirPairs() throws {
    let faces = try FaceFolder(people: 2, images: 2, side: 12)
    let images = try (0..<4).map { try ImageFolder(root: faces.path).encodedImage(of: $0) }
    // ([a, b, a, c], [True, False])
    var pickle: [UInt8] = [0x80, 4, 0x28]
    for image in [images[0], images[1], images[0], images[2]] { pickle += [0x43, UInt8(image.count)] + image }
    folder.write(pickle + [0x6C, 0x88, 0x89, 0x86, 0x86, 0x2E], "x.bin")
    #expect(try unpack(folder.path + "/x.bin") == ["00000000.pgm", "00000001.pgm", "00000002.pgm", "pairs.txt"])
    let list = try PairList(path: folder.path + "/out/pairs.txt", root: folder.path + "/out")
    #expect(list.pairs == [FacePair(0, 1, same: true), FacePair(0, 2, same: false)])
  }

  /// Names that lead out of the folder come from a list that somebody packed, or a catalog that somebody forged.
  @Test(arguments: ["..", "../up", "/tmp/abs", ".hidden", "a/b", "."])
  func pathsThatLeaveTheFolder(person: String) throws {
    folder.write(Picture.constant(1, 2, 3).jpeg(), "in/x.jpg")
    folder.write(Array("x.jpg\tgood\nx.jpg\t\(person)\n".utf8), "in/list.txt")
    folder.makeFolder("rec")
    _ = try RecordPacker(
      ImageSet.open(folder.path + "/in/list.txt"), output: folder.path + "/rec/x.rec", reencoding: .init()
    ).run()
    #expect(
      throws: DataError(
        "\(folder.path)/rec/x.rec", "a person's name, '\(person)', is none for a folder",
        remedy: "Nothing was written of it.")
    ) { try unpack(folder.path + "/rec/x.rec") }
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/up"))
  }

  /// A catalog that somebody forged, digest and all.
  @Test func anImageThatLeavesTheFolder() throws {
    folder.write(Picture.constant(1, 2, 3).jpeg(), "in/ab/evil.jpg")
    folder.makeFolder("rec")
    let record = folder.path + "/rec/x.rec"
    _ = try RecordPacker(ImageSet.open(folder.path + "/in"), output: record, reencoding: .init()).run()
    let catalog = try SafetensorsFile(path: record + ".catalog")
    let names = Array("../evil.jpg\0".utf8)
    let size = try #require(catalog.metadata["bytes"].flatMap { Int64($0) })
    var covered = withUnsafeBytes(of: size.littleEndian) { [UInt8]($0) }
    for name in ["offsets", "keys", "labels", "sizes", "digests", "people"] {
      covered += try catalog.withBytes(of: name) { [UInt8]($0) }
    }
    covered += names + (try catalog.withBytes(of: "nameStarts") { [UInt8]($0) })
    var metadata = catalog.metadata
    metadata["digest"] = covered.withUnsafeBytes { "\(Digest(of: $0))" }
    var writer = SafetensorsWriter(metadata: metadata)
    func numbers<Element: BitwiseCopyable>(_ name: String, _: Element.Type) throws -> [Element] {
      try catalog.withBytes(of: name) { bytes in
        stride(from: 0, to: bytes.count, by: MemoryLayout<Element>.size).map {
          bytes.loadUnaligned(fromByteOffset: $0, as: Element.self)
        }
      }
    }
    for name in ["offsets", "keys", "digests", "nameStarts"] {
      writer.add(name, shape: [1], try numbers(name, Int64.self))
    }
    for name in ["labels", "sizes"] { writer.add(name, shape: [1], try numbers(name, Int32.self)) }
    let people = try numbers("people", UInt8.self)
    writer.add("people", shape: [people.count], people)
    writer.add("names", shape: [names.count], names)
    try writer.write(to: record + ".catalog")
    #expect(try RecordSet(path: record).identifier(of: 0) == "../evil.jpg")
    let error = #expect(throws: DataError.self) { try unpack(record) }
    #expect(error?.reason.contains("an image's name, '../evil.jpg', is none for a file, or leads out") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/out/ab") == [])
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/out/evil.jpg"))
  }

  @Test func imagesOfTheSameName() throws {
    for name in ["a/x.jpg", "b/x.jpg"] {
      folder.write(Picture.constant(UInt8(name.utf8.first!), 2, 3).jpeg(), "in/" + name)
    }
    folder.write(Array("../in/a/x.jpg p\nb/x.jpg p\nb/x.jpg q".utf8), "in/list.txt")
    folder.makeFolder("rec")
    _ = try RecordPacker(
      ImageSet.open(folder.path + "/in/list.txt"), output: folder.path + "/rec/x.rec", reencoding: .init()
    ).run()
    #expect(try unpack(folder.path + "/rec/x.rec") == ["p/00000001-x.jpg", "p/x.jpg", "q/x.jpg"])
  }

  @Test func onlyIntoAnEmptyFolder() throws {
    let faces = try FaceFolder(people: 2, images: 1, side: 12)
    folder.makeFolder("rec")
    _ = try RecordPacker(ImageSet.open(faces.path), output: folder.path + "/rec/x.rec", reencoding: .init()).run()
    folder.write([1], "full/x")
    #expect(throws: DataError.self) { try unpack(folder.path + "/rec/x.rec", "full") }
    #expect(throws: FileError.self) { try unpack(folder.path + "/rec/x.rec", "no/such") }
    folder.makeFolder("empty")
    #expect(try unpack(folder.path + "/rec/x.rec", "empty").count == 2)
    folder.link("loop", to: "loop")
    #expect(throws: (any Error).self) { try unpack(folder.path + "/rec/x.rec", "loop") }
  }
}
