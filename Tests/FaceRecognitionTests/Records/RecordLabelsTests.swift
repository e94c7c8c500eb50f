import Datasets
import Files
import Foundation
import Testing

/// Labels of records that are not 0, 1, 2 ...: numbered anew in their order, and kept as the people's names.
@Suite struct RecordLabelsTests {
  private let folder = TestFolder()

  private func open(_ file: RecordFixture, property: String? = nil) throws -> RecordSet {
    folder.write(file.bytes, "train.rec")
    if let property { folder.write(Array(property.utf8), "property") }
    return try #require(try ImageSet.open(folder.path) as? RecordSet)
  }

  private func note(_ count: Int, _ first: Int, _ last: Int) -> [String] {
    [
      "\(folder.path)/train.rec: its \(count) people have the numbers \(first) to \(last), not 0, 1, 2 ...: classes are "
        + "numbered anew in their order, and the numbers stay the people's names"
    ]
  }

  private static func picture(_ person: Int, _ image: Int) -> [UInt8] {
    Array("P5 1 1 255\n".utf8) + [UInt8(10 * person + image)]
  }

  /// InsightFace's layout with the given labels, of two images each.
  private static func insightFace(_ labels: [Float]) -> RecordFixture {
    let images = 2 * labels.count
    var file = RecordFixture()
    file.append(RecordFixture.record(labels: [Float(images + 1), Float(images + 1 + labels.count)], id: 0, image: []))
    for (place, label) in labels.enumerated() {
      for image in 0..<2 {
        let picture = self.picture(place, image)
        file.append(RecordFixture.record(labels: [label], id: UInt64(file.offsets.count), image: picture))
      }
    }
    for place in labels.indices {
      let range = [Float(2 * place + 1), Float(2 * place + 3)]
      file.append(RecordFixture.record(labels: range, id: UInt64(file.offsets.count), image: []))
    }
    return file
  }

  @Test(
    arguments: [
      ([1, 2, 3], [0, 1, 2], ["1", "2", "3"]), ([0, 2, 9], [0, 1, 2], ["0", "2", "9"]),
      ([70, 5, 600], [1, 0, 2], ["5", "70", "600"]), ([0, 16_777_215, 8], [0, 2, 1], ["0", "8", "16777215"]),
    ] as [([Float], [Int], [Name])]) func gaps(labels: [Float], dense: [Int], names: [Name]) throws
  {
    let told = note(3, Int(labels.min()!), Int(labels.max()!))
    let ranges = try open(Self.insightFace(labels), property: "3,112,112\n")
    #expect(ranges.warrant == .ranges && ranges.classNames == names && !ranges.namesPeople && ranges.notes == told)
    #expect((0..<6).map(ranges.label) == dense.flatMap { [$0, $0] })
    #expect(try ranges.encodedImage(of: 3) == Self.picture(1, 1))
    let plain = try open(.plain(labels.enumerated().map { ($1, [UInt8($0)]) }))
    #expect(plain.warrant == .nothing && plain.classNames == names && plain.notes == told)
    #expect((0..<3).map(plain.label) == dense)
    #expect(try (0..<3).map(plain.encodedImage) == [[0], [1], [2]])
  }

  @Test func withoutGapsNothingIsTold() throws {
    #expect(try open(Self.insightFace([0, 1, 2])).notes == [])
    #expect(try open(Self.insightFace([2, 0, 1])).classNames == ["0", "1", "2"])
    let one = try open(.plain([(16_777_215, [1])]))
    #expect(one.classNames == ["16777215"] && one.label(of: 0) == 0)
  }

  /// A catalog keeps the numbers, and that they are no names: one set's 5 is not another's.
  @Test func sealedAndPacked() throws {
    let bare = try open(Self.insightFace([5, 1, 7]))
    let fingerprint = try bare.fingerprint()
    _ = try DatasetSeal.write(for: folder.path)
    let sealed = try RecordSet(path: folder.path + "/train.rec")
    #expect(sealed.warrant == .catalog && sealed.classNames == ["1", "5", "7"] && sealed.notes == bare.notes)
    #expect(try !sealed.namesPeople && sealed.fingerprint() == fingerprint)
    #expect(try (0..<6).map(sealed.encodedImage) == (0..<6).map(bare.encodedImage))
    #expect(throws: DataError.self) { try ImageUnion([sealed, bare], joinsPeople: true) }
    folder.makeFolder("again")
    let output = folder.path + "/again/train.rec"
    var packer = RecordPacker(bare, output: output, reencoding: .init())
    packer.workers = 2
    _ = try packer.run()
    let packed = try RecordSet(path: output)
    #expect(packed.classNames == sealed.classNames && !packed.namesPeople)
    // The packer sorts images by person, and writes labels without gaps.
    #expect(try (0..<6).map(packed.encodedImage) == [2, 3, 0, 1, 4, 5].map(bare.encodedImage))
    try FileManager.default.removeItem(atPath: output + ".catalog")
    #expect(try RecordSet(path: output).classNames == ["0", "1", "2"])
  }

  @Test func unionOfSets() throws {
    let first = try open(Self.insightFace([5, 1]))
    folder.write(RecordFixture.plain([(1, [1]), (9, [2])]).bytes, "b.rec")
    let union = try ImageUnion([first, try ImageSet.open(folder.path + "/b.rec")], joinsPeople: false)
    #expect(union.classNames == ["1", "5", "1 (set 2)", "9"] && union.notes.count == 2)
    #expect((0..<union.count).map(union.label) == [1, 1, 0, 0, 2, 3])
  }

  /// `property` may count people of whom no image is left; a person without images has an empty range.
  @Test func peopleThatPropertyCounts() throws {
    #expect(try open(Self.insightFace([0, 4]), property: "5,112,112").classNames.count == 2)
    var file = RecordFixture()
    file.append(RecordFixture.record(labels: [3, 6], id: 0, image: []))
    for (label, id) in [(0, 1), (2, 2)] {
      file.append(RecordFixture.record(labels: [Float(label)], id: UInt64(id), image: [1]))
    }
    for (id, range) in [[1, 2], [2, 2], [2, 3]].enumerated() {
      file.append(RecordFixture.record(labels: range.map(Float.init), id: UInt64(3 + id), image: []))
    }
    #expect(try open(file, property: "3,112,112").classNames == ["0", "2"])
    #expect(
      throws: DataError(
        "\(folder.path)/property", "it says 4 people, but train.rec has 2, with labels from 0 to 2",
        remedy: "Mend it or take it away: a .rec can be read without.")
    ) { try open(file, property: "4,112,112") }
  }

  @Test func changedWhileOpen() throws {
    let file = RecordFixture.plain([(3, [1]), (9, [2])])
    let source = try open(file)
    var bytes = file.bytes
    let label = file.offsets[1] + 12
    withUnsafeBytes(of: Float(1).bitPattern.littleEndian) { bytes.replaceSubrange(label..<(label + 4), with: $0) }
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: folder.path + "/train.rec"))
    try handle.write(contentsOf: Data(bytes))
    try handle.close()
    #expect(try source.encodedImage(of: 0) == [1])
    #expect(throws: DataError.self) { try source.encodedImage(of: 1) }
  }

  /// What is no label is refused with what to do.
  @Test(arguments: [-1, 0.5, .nan, Float(1 << 24), Float(1 << 40), -.infinity] as [Float]) func none(label: Float) {
    #expect {
      try open(.plain([(1, [1]), (label, [2])]))
    } throws: { error in
      "\(error)".hasPrefix("\(folder.path)/train.rec, record 1: its label is ")
        && "\(error)".hasSuffix(". Number the people 0, 1, 2 ... (gaps do no harm), and make the .rec again.")
    }
  }
}
