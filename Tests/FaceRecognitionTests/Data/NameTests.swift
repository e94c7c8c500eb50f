import Datasets
import Files
import Foundation
import Testing

@Suite struct NameTests {
  // The same letter to String, two names to a disk.
  let composed = "Zo\u{EB}", decomposed = "Zoe\u{308}"

  @Test func namesAreEqualWhereTheirBytesAre() {
    #expect(composed == decomposed)
    #expect(Name(composed) != Name(decomposed))
    #expect(Name(composed) == Name(composed.dropLast(0)))
    #expect(Set([Name(composed), Name(decomposed), Name(composed)]).count == 2)
  }

  @Test func orderIsThatOfBytes() {
    let names = [Name(composed), Name(decomposed), "Zz", "", "Zo"]
    #expect(names.sorted() == ["", "Zo", Name(decomposed), Name(composed), "Zz"])
  }

  @Test func onesWithZeroBytesDiffer() {
    #expect(Name("a\0") != Name("a"))
    #expect(Set([Name("a\0"), Name("a")]).count == 2)
  }

  @Test func aNameInJSONIsAText() throws {
    let names = [Name(composed), Name(decomposed), "\u{1B}\""]
    let json = try JSONEncoder().encode(names)
    #expect(try JSONDecoder().decode([Name].self, from: json) == names)
    #expect(
      try JSONDecoder().decode([String].self, from: json).map { Array($0.utf8) } == names.map { Array($0.text.utf8) })
  }

  /// Two files whose names are no UTF-8 keep two names, in the set and in what is packed of it.
  @Test func bytesThatAreNoText() throws {
    let folder = TestFolder()
    for person in ["ann", "bo"] { folder.write(Picture.constant(1, 2, 3).jpeg(), "\(person)/1.jpg") }
    let names: [[UInt8]] = [[0xC3, 0xA9, 0xFE], [0xC3, 0xA9, 0xFF]]
    for (number, name) in names.enumerated() {
      let bytes = Picture.constant(UInt8(100 * number), 0, 0).jpeg()
      let path = Array("\(folder.path)/bo/".utf8) + name + Array(".jpg".utf8) + [0]
      // Optional in newer C libraries alone.
      let opened: UnsafeMutablePointer<FILE>? = path.withUnsafeBufferPointer {
        fopen(UnsafeRawPointer($0.baseAddress!).assumingMemoryBound(to: CChar.self), "w")
      }
      let file = try #require(opened)
      #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
      fclose(file)
    }
    let source = try ImageFolder(root: folder.path)
    let shown = ["ann/1.jpg", "bo/1.jpg", #"bo/é\xFE.jpg"#, #"bo/é\xFF.jpg"#]
    #expect((0..<source.count).map(source.identifier) == shown)
    #expect(try source.encodedImage(of: 2) != source.encodedImage(of: 3))
    let target = TestFolder()
    _ = try RecordPacker(source, output: target.path + "/x.rec", reencoding: .init()).run()
    let packed = try RecordSet(path: target.path + "/x.rec")
    #expect((0..<packed.count).map(packed.identifier) == shown)
    #expect(try DatasetUnpacker(path: target.path + "/x.rec", folder: target.path + "/out").run() == 4)
    let unpacked = try ImageFolder(root: target.path + "/out")
    #expect(try (0..<4).map(unpacked.encodedImage) == (0..<4).map(source.encodedImage))
    // An embedding's name stands on a line: such a name is refused by name.
    let error = #expect(throws: DataError.self) { try ImageList(at: folder.path) }
    #expect(error?.path == folder.path + #"/bo/é\xFE.jpg"#)
  }

  /// A person of the second set may already be called what the first set's namesake would be.
  @Test func noTwoPeopleOfAUnionGetOneName() throws {
    let folder = TestFolder()
    for name in ["x/bo", "x/bo (set 2)", "y/bo", "y/bo (set 2)"] { folder.write([1], name + "/1.jpg") }
    let sets = try ["x", "y"].map { try ImageFolder(root: "\(folder.path)/\($0)") }
    let union = try ImageUnion(sets, joinsPeople: false)
    #expect(Set(union.classNames).count == 4 && (0..<4).map(union.label) == [0, 1, 2, 3])
    #expect(try ImageUnion(sets, joinsPeople: true).classNames == ["bo", "bo (set 2)"])
  }

  /// Two people of one name, as no set of ours has them.
  private struct Namesakes: ImageSource {
    let base: ImageFolder
    var location: String { base.location }
    var count: Int { base.count }
    var classNames: [Name] { base.classNames.map { _ in "bo" } }
    func label(of sample: Int) -> Int { base.label(of: sample) }
    func identifier(of sample: Int) -> String { base.identifier(of: sample) }
    func encodedSize(of sample: Int) throws -> Int { try base.encodedSize(of: sample) }
    func withEncodedImage<Result>(
      of sample: Int, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result { try base.withEncodedImage(of: sample, scratch: scratch, body) }
  }

  @Test func aCatalogThatNamesTwoPeopleAlikeIsRefused() throws {
    let folder = TestFolder.faces(people: 2, images: 1)
    let target = TestFolder()
    _ = try RecordPacker(
      Namesakes(base: ImageFolder(root: folder.path)), output: target.path + "/x.rec", reencoding: .init()
    ).run()
    let error = #expect(throws: DataError.self) { try RecordSet(path: target.path + "/x.rec") }
    #expect(error?.path == target.path + "/x.rec.catalog" && error?.reason == "it names two people alike among its 2")
  }
}
