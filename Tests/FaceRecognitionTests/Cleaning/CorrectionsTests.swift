import Cleaning
import Datasets
import Files
import Foundation
import TestSupport
import Testing

/// What edited tables make of a set, and which are refused.
@Suite struct CorrectionsTests {
  private let files: TemporaryFolder
  private let source: ImageFolder

  init() throws {
    files = try TemporaryFolder()
    for (person, name) in ["a", "b", "c d", "e"].enumerated() {
      for image in 0..<3 {
        try files.write(FaceFolder.pgm(person: person, image: image, side: 16), to: "set/\(name)/\(image).pgm")
      }
    }
    source = try ImageFolder(root: files["set"])
  }

  private static let titles = "kind,score,path,person,other,action\n"

  private func table(_ lines: String) throws -> CorrectionTable {
    try CorrectionTable(DelimitedText(Array((Self.titles + lines).utf8), path: "table.csv"))
  }

  /// "a/0.pgm a, ..." of a set.
  private func people(_ images: some ImageSource) -> [String] {
    (0..<images.count).map { "\(images.identifier(of: $0)) \(images.classNames[images.label(of: $0)])" }.sorted()
  }

  private static let edited = """
    # a comment
    wrong-label,0.91,a/1.pgm,a,"c d",move c d
    two-people,,a/2.pgm,a,,move new one
    one-person,1.2,,b,e,join e
    duplicate,0.99,b/0.pgm,b,,remove
    duplicate,0.99,b/1.pgm,b,,keep,
    validation,1.5,,c d,x,remove
    validation,1.5,c d/0.pgm,c d,x,move b

    """
  /// `c d` leaves with its other images; what moves to `b` is `e`'s as `b` joins it.
  private static let expected = [
    "a/0.pgm a", "a/2.pgm new one", "b/1.pgm e", "b/2.pgm e", "c d/0.pgm e", "e/0.pgm e", "e/1.pgm e", "e/2.pgm e",
  ]

  @Test func everyAction() throws {
    let lines = Self.edited.replacing("move c d", with: "move a")
    let corrections = try Corrections(table(lines), of: source)
    let images = corrections.images(of: source)
    #expect(people(images) == (Self.expected + ["a/1.pgm a"]).sorted())
    #expect(images.classNames == ["a", "e", "new one"])
    let counts = corrections.counts
    #expect((counts.removed, counts.moved, counts.joinedPeople, counts.keptLines) == (3, 3, 1, 1))
  }

  @Test(arguments: [
    ("wrong-label,1,a/0.pgm,a,b,turn b", 2, "the action 'turn b' is unknown"),
    ("wrong-label,1,a/0.pgm,a,b,move", 2, "the action 'move' is unknown"),
    ("wrong-label,1,a/0.pgm,a,b,remove b", 2, "the action 'remove b' is unknown"),
    ("wrong,1,a/0.pgm,a,b,keep", 2, "the kind 'wrong' is unknown"),
    ("wrong-label,one,a/0.pgm,a,b,keep", 2, "the score 'one' is no number"),
    ("wrong-label,nan,a/0.pgm,a,b,keep", 2, "the score 'nan' is no number"),
    ("wrong-label,1,a/0.pgm,,b,keep", 2, "the person is missing"),
    ("wrong-label,1,a/0.pgm,a,keep", 2, "6 fields are needed, but there are 5"),
    ("one-person,1,,a,b,move b", 2, "the path is missing"),
    ("one-person,1,a/0.pgm,a,b,join b", 2, "without a path"),
    ("one-person,1,,a,b,join a", 2, "'a' cannot join itself"),
    ("one-person,1,,a,b,join nobody", 2, "no person 'nobody'"),
    ("wrong-label,1,a/9.pgm,a,b,keep", 2, "there is no image 'a/9.pgm'"),
    ("wrong-label,1,a/0.pgm,b,b,keep", 2, "the table is of another set"),
    ("wrong-label,1,a/0.pgm,z,b,keep", 2, "there is no person 'z'"),
    ("duplicate,1,a/0.pgm,a,b,remove\n\nwrong-label,1,a/0.pgm,a,b,move b", 4, "contradicts 'remove' of line 2"),
    ("one-person,1,,a,b,join b\none-person,1,,a,e,join e", 3, "contradicts 'join b' of line 2"),
    ("one-person,1,,a,b,join b\none-person,1,,b,a,join a", 2, "in a circle"),
    ("one-person,1,,a,b,join b\nvalidation,1,,b,a,remove", 2, "whom another line leaves out"),
    ("wrong-label,1,a/0.pgm,a,b,move b\nvalidation,1,,b,a,remove", 2, "whom another line leaves out"),
  ])
  func refused(lines: String, line: Int, reason: String) throws {
    let error = #expect(throws: DataError.self) { try Corrections(table(lines), of: source) }
    let text = error?.description ?? ""
    #expect(text.contains("table.csv, line \(line): ") && text.contains(reason), "\(text)")
  }

  @Test func tablesThatAreNone() throws {
    func read(_ text: String) throws -> CorrectionTable {
      try CorrectionTable(DelimitedText(Array(text.utf8), path: "t.csv"))
    }
    #expect(throws: DataError.self) { try read("") }
    #expect(throws: DataError.self) { try read("path,label\na/0.pgm,a\n") }
    #expect(throws: DataError.self) { try read(Self.titles.replacing(",", with: ";")) }
    let nothing = "validation,,,a,,remove\nvalidation,,,b,,remove\nvalidation,,,c d,,remove\nvalidation,,,e,,remove\n"
    #expect(throws: DataError.self) { try Corrections(table(nothing), of: source) }
    #expect(try read(Self.titles).lines.isEmpty)
  }

  /// Names with everything that separates: as they were.
  @Test func namesComeBack() throws {
    let names = ["plain", "a,b", "\"q\" x", " blank ", "#5", "tab\there", "e\u{301}", "=1+1"]
    let lines = names.map { name in
      CorrectionTable.Line(
        kind: .wrongLabel, score: 0.5, path: Name("\(name)/1.jpg"), person: Name(name), other: name,
        action: .move(Name(name)))
    }
    try CorrectionTable(lines).write(to: files["t.csv"])
    let back = try CorrectionTable(path: files["t.csv"]).lines
    #expect(back.map(\.person) == lines.map(\.person) && back.map(\.path) == lines.map(\.path))
    #expect(back.map(\.action) == lines.map(\.action) && back.map(\.other) == lines.map(\.other))
    #expect(back.map(\.number) == Array(2...9))
  }

  /// As a list, a folder of links and a .rec; a .rec only as a .rec. The images are the old ones, and stay.
  @Test func theProgramMakesEveryForm() throws {
    try files.write(Data((Self.titles + Self.edited.replacing("move c d", with: "move a")).utf8), to: "table.csv")
    func apply(_ data: String, _ output: String, _ more: String...) throws -> Subprocess.Outcome {
      try Subprocess.cosface(
        ["dataset", "apply", "--table", files["table.csv"], "--data", files[data], "--output", files[output]] + more)
    }
    let before = try source.fingerprint()
    let expected = (Self.expected + ["a/1.pgm a"]).sorted()
    let list = try apply("set", "list.csv")
    #expect(
      list.exitCode == 0 && list.text.contains("9 images of 3 people; 3 images left out, 3 moved"), "\(list.text)")
    let listed = try LabelledList(path: files["list.csv"])
    #expect(people(listed).map { $0.split(separator: "/set/").last.map(String.init) } == expected)
    let links = try apply("set", "links")
    #expect(links.exitCode == 0, "\(links.text)")
    let folder = try ImageFolder(root: files["links"])
    // Two people's images of one name.
    #expect(folder.count == 9 && folder.classNames == ["a", "e", "new one"])
    #expect(try Set((0..<9).map { try folder.encodedImage(of: $0) }).count == 9)
    try files.write(to: "packed/.keep")
    #expect(try Subprocess.cosface(["dataset", "pack", files["set"], files["packed/train.rec"]]).exitCode == 0)
    try files.write(to: "new/.keep")
    let record = try apply("packed", "new/train.rec", "--workers", "2")
    #expect(record.exitCode == 0, "\(record.text)")
    #expect(try people(RecordSet(path: files["new/train.rec"])) == expected)

    expectRefusal(try apply("packed", "other.csv"), "records and no files", "ends in .rec")
    expectRefusal(try apply("packed", "other"), "records and no files")
    expectRefusal(try apply("set", "links"), "it is there already")
    expectRefusal(try apply("set", "table.csv"), "it is the input")
    expectRefusal(try apply("set", "x.csv", "--workers", "2"), "--workers goes with an output that ends in .rec")
    #expect(try ImageFolder(root: files["set"]).fingerprint() == before)
    #expect(files.names == ["links", "list.csv", "new", "packed", "set", "table.csv"])
  }
}
