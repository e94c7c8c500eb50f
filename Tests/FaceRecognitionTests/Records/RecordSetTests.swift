import Datasets
import Foundation
import Testing

@Suite struct RecordSetTests {
  private static let people: [[[UInt8]]] = (0..<3).map { person in
    (0...person).map { (image: Int) -> [UInt8] in
      // Of 1 to 9 bytes, so that every padding occurs.
      [UInt8](repeating: UInt8(16 * person + image), count: 3 * person + image + 1)
    }
  }

  private func write(_ file: RecordFixture, index: Bool = true, property: String? = nil) -> TestFolder {
    let folder = TestFolder()
    folder.write(file.bytes, "train.rec")
    if index { folder.write(Array(file.index.utf8), "train.idx") }
    if let property { folder.write(Array(property.utf8), "property") }
    return folder
  }

  private func expectPeople(_ source: any ImageSource) throws {
    #expect(source.classNames == ["0", "1", "2"])
    #expect((0..<source.count).map(source.label) == [0, 1, 1, 2, 2, 2])
    #expect(try (0..<source.count).map(source.encodedImage) == Array(Self.people.joined()))
    #expect(try (0..<source.count).map(source.encodedSize) == Self.people.joined().map(\.count))
  }

  /// "read", or the one message.
  private func verdict(_ folder: TestFolder) -> String {
    do {
      let source = try ImageSet.open(folder.path)
      for sample in 0..<source.count { _ = try source.encodedImage(of: sample) }
      return "read"
    } catch {
      return "\(error)".replacingOccurrences(of: folder.path, with: "DIR")
    }
  }

  @Test(arguments: [true, false]) func insightFacesLayout(index: Bool) throws {
    let folder = write(.insightFace(Self.people), index: index, property: "3,112,112\n")
    let source = try ImageSet.open(folder.path)
    try expectPeople(source)
    #expect(source.identifier(of: 0) == "record 1" && source.identifier(of: 5) == "record 6")
    #expect((source as? RecordSet)?.warrant == .ranges)
    #expect(try ImageSet.open(folder.path + "/train.rec").fingerprint() == source.fingerprint())
  }

  @Test(arguments: [true, false]) func im2recsLayout(index: Bool) throws {
    let records = Self.people.enumerated().flatMap { label, images in images.map { (Float(label), $0) } }
    let folder = write(.plain(records), index: index)
    let source = try ImageSet.open(folder.path)
    try expectPeople(source)
    #expect(source.identifier(of: 0) == "record 0")
    #expect((source as? RecordSet)?.warrant == .nothing)
  }

  @Test func labelArrays() throws {
    var file = RecordFixture()
    for (key, label) in [1, 0, 1].enumerated() {
      file.append(RecordFixture.record(labels: [Float(label), 7.5, -1], id: UInt64(key), image: [UInt8(key)]))
    }
    let folder = write(file)
    let source = try ImageSet.open(folder.path)
    #expect((0..<3).map(source.label) == [1, 0, 1])
    #expect(try source.encodedImage(of: 2) == [2])
  }

  /// Records come in the order of the .idx's keys, wherever they lie.
  @Test func keysOrderTheSamples() throws {
    let file = RecordFixture.plain([(0, [10]), (1, [11]), (2, [12])])
    let folder = write(file, index: false)
    let shuffled = [(7, 0), (5, 2), (6, 1)].map { "\($0)\t\(file.offsets[$1])\r\n" }.joined()
    folder.write(Array(shuffled.utf8), "train.idx")
    let source = try ImageSet.open(folder.path)
    #expect((0..<3).map(source.label) == [2, 1, 0])
    #expect((0..<3).map(source.identifier) == ["record 5", "record 6", "record 7"])
    #expect(try source.encodedImage(of: 0) == [12])
  }

  /// The magic number in an image, at a multiple of 4 bytes and not, at its beginning and at its end.
  @Test func recordsOfSeveralParts() throws {
    let magic = RecordFixture.magic
    let images: [[UInt8]] = [
      magic, [1, 2, 3, 4] + magic + magic + [5], [1] + magic + [2, 3, 4], magic + [9] + magic, [1, 2, 3, 4] + magic,
    ]
    let file = RecordFixture.plain(images.map { (0, $0) })
    let folder = write(file)
    let source = try ImageSet.open(folder.path)
    #expect(try (0..<5).map(source.encodedImage) == images)
    #expect(try (0..<5).map(source.encodedSize) == images.map(\.count))
  }

  @Test func cutAnywhere() throws {
    let whole = RecordFixture.insightFace(Self.people)
    for index in [true, false] {
      let folder = write(whole, index: index)
      #expect(verdict(folder) == "read")
      for length in 0..<whole.bytes.count {
        folder.write(Array(whole.bytes[..<length]), "train.rec")
        let verdict = verdict(folder)
        #expect(verdict != "read", "\(length) bytes, index \(index)")
        #expect(verdict.hasPrefix("DIR/train."), "\(verdict)")
      }
    }
  }

  @Test func indexOfAnother() {
    let file = RecordFixture.insightFace(Self.people)
    let folder = write(file)
    let remedy = " Put the .rec's own .idx there, or take this one away: a .rec can be read without."
    func verdict(index: String) -> String {
      folder.write(Array(index.utf8), "train.idx")
      return self.verdict(folder)
    }
    let lines = file.index.split(separator: "\n").map(String.init)
    let other = RecordFixture.insightFace(Self.people.reversed())
    #expect(
      verdict(index: other.index) == "DIR/train.idx: it is not the index of this .rec: a record begins at byte 76, and "
        + "it names the next at byte \(other.offsets[2])." + remedy)
    #expect(verdict(index: lines.dropLast().joined(separator: "\n")).hasSuffix("and it names no other." + remedy))
    #expect(
      verdict(index: file.index + "99\t\(file.bytes.count)\n")
        == "DIR/train.idx: it names a record at byte \(file.bytes.count), but the .rec has \(file.bytes.count) bytes."
        + remedy)
    #expect(verdict(index: "") != "read")
    #expect(verdict(index: "0\t0\n1 40\n") == "DIR/train.idx: line 2 is not 'key<TAB>offset'." + remedy)
    #expect(verdict(index: "0\t99999999999999999999\n") == "DIR/train.idx: line 1 is not 'key<TAB>offset'." + remedy)
    #expect(verdict(index: "0\t0\n1\t0\n") == "DIR/train.idx: two records begin at byte 0." + remedy)
    #expect(verdict(index: "0\t0\n0\t40\n") == "DIR/train.idx: the key 0 stands there twice." + remedy)
    #expect(verdict(index: "0\t-4\n") == "DIR/train.idx: line 1 is not 'key<TAB>offset'." + remedy)
  }

  @Test(arguments: [
    (Float.nan, "its label is nan"), (.infinity, "its label is inf"), (-1, "its label is -1.0, but labels are whole"),
    (0.5, "its label is 0.5, but labels are whole"),
    // 2^24 + 1 in Float is 2^24.
    (Float(16_777_217), "its label is 16777216, but from 16777216 on a Float cannot tell a label from the next"),
    (1e30, "but from 16777216 on"),
  ])
  func labelsThatAreNone(label: Float, reason: String) {
    let verdict = verdict(write(.plain([(0, [1]), (label, [2])])))
    #expect(verdict.hasPrefix("DIR/train.rec, record 1: ") && verdict.contains(reason), "\(verdict)")
  }

  @Test func framesThatAreNone() {
    let file = RecordFixture.plain([(0, [1, 2, 3]), (1, [4])])
    func verdict(_ change: (inout [UInt8]) -> Void) -> String {
      var bytes = file.bytes
      change(&bytes)
      let folder = TestFolder()
      folder.write(bytes, "train.rec")
      return self.verdict(folder)
    }
    let second = file.offsets[1]
    let remedy = " The file is not whole, or damaged: copy it again from where it came, or make it again."
    #expect(
      verdict { $0[second] ^= 1 }
        == "DIR/train.rec: the record at byte \(second) does not begin with RecordIO's magic number." + remedy)
    // A length of 2^29 - 1.
    #expect(
      verdict { $0.replaceSubrange((second + 4)..<(second + 8), with: [0xFF, 0xFF, 0xFF, 0x1F]) }
        == "DIR/train.rec: the record at byte \(second) asks for 536870911 bytes where the file has 28 left." + remedy)
    #expect(
      verdict { $0[second + 7] |= 0x40 }
        == "DIR/train.rec: the record at byte \(second) has a part of kind 2 where it cannot be." + remedy)
    #expect(
      verdict { $0[second + 7] |= 0x20 }
        == "DIR/train.rec: the record at byte \(second) is cut off: the file has \(file.bytes.count) bytes." + remedy)
    #expect(verdict { $0[7] |= 0x20 }.contains("has a part of kind 0 where it cannot be"))
    #expect(verdict { $0[7] |= 0xE0 }.contains("has a part of kind 7 where it cannot be"))
    // A label array of a thousand million.
    #expect(
      verdict { $0[11] = 0x40 }
        == "DIR/train.rec, record 0: its 27 bytes end before its header and labels do.")
    #expect(verdict { $0.removeAll() } == "DIR/train.rec: the file is empty (0 bytes).")
  }

  /// What InsightFace's layout says twice must agree.
  @Test func rangesAndLabels() {
    let file = RecordFixture.insightFace(Self.people)
    func verdict(record: Int, _ labels: [Float]) -> String {
      var bytes = file.bytes
      let start = file.offsets[record] + 8 + (labels.count == 1 ? 4 : 24)
      for (place, label) in labels.enumerated() {
        withUnsafeBytes(of: label.bitPattern.littleEndian) {
          bytes.replaceSubrange((start + 4 * place)..<(start + 4 * place + 4), with: $0)
        }
      }
      let folder = TestFolder()
      folder.write(bytes, "train.rec")
      return self.verdict(folder)
    }
    #expect(verdict(record: 0, [7, 10]) == "read")
    #expect(
      verdict(record: 0, [6, 10])
        == "DIR/train.rec: record 0 promises images before record 6.0 and people before record 10.0, but there are 10 "
        + "records, and the first after it without an image is 7.")
    #expect(verdict(record: 0, [7, 11]).contains("people before record 11.0"))
    #expect(
      verdict(record: 2, [2]) == "DIR/train.rec, record 3: its label is 1, but its person's others have the label 2.")
    #expect(verdict(record: 1, [1]) == "DIR/train.rec, record 8: a second person has the label 1.")
    #expect(
      verdict(record: 8, [3, 4])
        == "DIR/train.rec, record 8: a person's images should follow record 1, but its range is 3.0 to 4.0.")
    #expect(verdict(record: 9, [4, 6]) == "DIR/train.rec: the people's ranges end at record 5 of 6 images.")
    #expect(verdict(record: 9, [4, .nan]).contains("its range is 4.0 to nan"))
  }

  @Test func property() {
    func verdict(_ text: String) -> String {
      self.verdict(write(.insightFace(Self.people), property: text))
    }
    #expect(verdict("3, 112, 112\r\n") == "read")
    #expect(
      verdict("4,112,112")
        == "DIR/property: it says 4 people, but train.rec has 3, with labels from 0 to 2. Mend it or take it away: a .rec can "
        + "be read without.")
    for text in ["", "3", "3,112", "3,a,112", "0,112,112", "99999999999999999999,1,1", "3,112,112,1"] {
      #expect(verdict(text).hasPrefix("DIR/property: it is not 'classes,height,width'"), "\(text)")
    }
  }

  @Test func otherThings() throws {
    let folder = TestFolder()
    #expect(verdict(folder) == "DIR: the folder is empty. Images belong into one folder per person: DIR/NAME/IMAGE.")
    folder.makeFolder("train.rec")
    #expect(verdict(folder) == "DIR/train.rec: it is not a file.")
    let piped = TestFolder()
    try #require(mkfifo(piped.path + "/train.rec", 0o600) == 0)
    #expect(verdict(piped) == "DIR/train.rec: it is not a file.")
    let linked = TestFolder()
    linked.link("train.rec", to: "train.rec")
    #expect(verdict(linked) == "DIR/train.rec: it cannot be opened: Too many levels of symbolic links.")
  }
}
