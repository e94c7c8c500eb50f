import Datasets
import Files
import Testing

@Suite struct ImageUnionTests {
  private let folder = TestFolder()
  private let sets: [any ImageSource]

  init() throws {
    for (byte, name) in zip(1..., ["x/ann/1.jpg", "x/bo/1.jpg", "x/bo/2.jpg", "y/bo/1.jpg", "y/cy/1.jpg"]) {
      folder.write([UInt8](repeating: UInt8(byte), count: byte), name)
    }
    sets = try ["x", "y"].map { [folder] in try ImageFolder(root: "\(folder.path)/\($0)") }
  }

  @Test func keptApart() throws {
    let union = try ImageUnion(sets, joinsPeople: false)
    #expect(union.classNames == ["ann", "bo", "bo (set 2)", "cy"])
    #expect((0..<5).map(union.label) == [0, 1, 1, 2, 3])
    #expect((0..<5).map(union.identifier) == ["1:ann/1.jpg", "1:bo/1.jpg", "1:bo/2.jpg", "2:bo/1.jpg", "2:cy/1.jpg"])
    #expect(union.path(of: 3) == folder.path + "/y/bo/1.jpg")
    #expect(try (0..<5).map(union.encodedImage).map(\.count) == [1, 2, 3, 4, 5])
    #expect(try (0..<5).map(union.encodedSize) == [1, 2, 3, 4, 5])
    try union.validateForTraining(rankCount: 5)
  }

  @Test func joinedByName() throws {
    let union = try ImageUnion(sets, joinsPeople: true)
    #expect(union.classNames == ["ann", "bo", "cy"])
    #expect((0..<5).map(union.label) == [0, 1, 1, 1, 2])
    #expect(try union.fingerprint() != ImageUnion(sets, joinsPeople: false).fingerprint())
  }

  /// Label numbers of two sets are no names: people 0 of both are strangers.
  @Test func numbersAreNotJoined() throws {
    let file = RecordFixture.insightFace([[[1]], [[2], [3]]])
    for name in ["one", "two"] { folder.write(file.bytes, "\(name).rec") }
    let records = try ["one", "two"].map { try RecordSet(path: "\(folder.path)/\($0).rec") }
    #expect(records.allSatisfy { !$0.namesPeople } && sets.allSatisfy(\.namesPeople))
    let error = #expect(throws: DataError.self) { try ImageUnion(records, joinsPeople: true) }
    #expect(error?.path == folder.path + "/one.rec" && error?.reason.contains("numbers and no names") == true)
    #expect(error?.remedy?.contains("Leave --join-people out") == true)
    #expect(throws: DataError.self) { try ImageUnion([sets[0], records[0]], joinsPeople: true) }
    #expect(throws: DataError.self) {
      try ImageUnion([sets[0], records[0].subset(people: [0, 1])], joinsPeople: true)
    }
    let apart = try ImageUnion(records, joinsPeople: false)
    #expect(apart.classNames == ["0", "1", "0 (set 2)", "1 (set 2)"] && !apart.namesPeople)
    // A digest makes no name; a packed folder's names are names.
    _ = try DatasetSeal.write(for: folder.path + "/one.rec")
    #expect(try !RecordSet(path: folder.path + "/one.rec").namesPeople)
    folder.makeFolder("packed")
    for name in ["ann/1.jpg", "bo/1.jpg"] { folder.write(Picture.constant(1, 2, 3).jpeg(), "real/" + name) }
    _ = try RecordPacker(
      ImageFolder(root: folder.path + "/real"), output: folder.path + "/packed/x.rec", reencoding: .init()
    ).run()
    let packed = try RecordSet(path: folder.path + "/packed/x.rec")
    #expect(try ImageUnion([packed, sets[1]], joinsPeople: true).classNames == ["ann", "bo", "cy"])
    // im2rec numbers each list anew; who writes 'path label' says who it is.
    folder.write(Array("0\t0\tx/ann/1.jpg\n1\t1\tx/bo/1.jpg\n".utf8), "im2rec.lst")
    folder.write(Array("x/ann/1.jpg 0\nx/bo/1.jpg 1\n".utf8), "list.txt")
    #expect(try !LabelledList(path: folder.path + "/im2rec.lst").namesPeople)
    #expect(try LabelledList(path: folder.path + "/list.txt").namesPeople)
  }

  @Test func limits() throws {
    let union = try ImageUnion(sets, joinsPeople: true)
    #expect(throws: DataError.self) { try union.limited(minimum: 2, maximum: nil, seed: 1) }
    let few = try union.limited(minimum: 1, maximum: 1, seed: 1)
    #expect(few.classNames == ["ann", "bo", "cy"] && few.count == 3 && (0..<3).map(few.label) == [0, 1, 2])
    let drawn = try Set((1...30).map { try union.limited(minimum: 1, maximum: 1, seed: $0).identifier(of: 1) })
    #expect(drawn == ["1:bo/1.jpg", "1:bo/2.jpg", "2:bo/1.jpg"])
    let apart = try ImageUnion(sets + [sets[0]], joinsPeople: false).limited(minimum: 2, maximum: nil, seed: 1)
    #expect(apart.classNames == ["bo", "bo (set 3)"] && apart.count == 4)
  }
}
