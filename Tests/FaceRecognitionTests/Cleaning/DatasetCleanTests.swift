import Cleaning
import Files
import Foundation
import Inference
import TestSupport
import Testing
import VectorKernels

/// `cosface dataset clean` on people whose embeddings are made up: every fault is named, and nothing else.
@Suite(.serialized) struct DatasetCleanTests {
  private let files: TemporaryFolder
  private static let width = 64
  /// The person of each image by truth, in the order of the paths.
  private var images: [(path: String, person: Int)] = []

  init() throws {
    files = try TemporaryFolder()
    // 120 people with 4 images each: p000/0.pgm ...
    for person in 0..<120 {
      for image in 0..<4 { images.append((Self.name(person, "\(image)"), person)) }
    }
  }

  private static func name(_ person: Int, _ image: String) -> String { "p\(person.digits(3))/\(image).pgm" }

  /// A direction of the person's own, and as much of an image's.
  private static func row(person: Int, image: String) -> [Float] {
    func direction(_ number: Int, _ seed: UInt64) -> [Float] {
      var generator = CounterGenerator(seed: seed, purpose: .selection, number)
      // The sum of twelve uniform numbers is nearly normal.
      let values = (0..<width).map { _ in (0..<12).reduce(Float(0)) { sum, _ in sum + generator.uniform(-0.5, 0.5) } }
      let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return values.map { $0 / length }
    }
    let own = direction(image.utf8.reduce(person) { 31 &* $0 &+ Int($1) }, 2)
    return zip(direction(person, 1), own).map { $0 + 0.8 * $1 }
  }

  private static func picture(_ person: Int, _ image: String) -> Data {
    var generator = CounterGenerator(seed: 3, purpose: .selection, image.utf8.reduce(person) { 31 &* $0 &+ Int($1) })
    return Data("P5\n16 16\n255\n".utf8) + Data((0..<256).map { _ in UInt8(generator.below(256)) })
  }

  /// Writes a set and its embeddings. `looks`: whose image is really under each path; else as the path says.
  private func write(_ paths: [(path: String, person: Int, image: String)], to name: String) throws {
    let sorted = paths.sorted { Name($0.path) < Name($1.path) }
    for image in sorted { try files.write(Self.picture(image.person, image.image), to: "\(name)/\(image.path)") }
    _ = try EmbeddingFormat.safetensors.write(
      names: sorted.map { Name($0.path) }, width: Self.width,
      origin: EmbeddingOrigin(flip: .sum, isNormalized: false, weights: nil), to: files["\(name).safetensors"],
      parts: 0..<1
    ) { _ in sorted.flatMap { Self.row(person: $0.person, image: $0.image) } }
  }

  private func sound() -> [(path: String, person: Int, image: String)] {
    images.map { ($0.path, $0.person, String($0.path.split(separator: "/")[1].prefix(1))) }
  }

  private func clean(_ more: String..., ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(
      [
        "dataset", "clean", "--data", files["set"], "--embeddings", files["set.safetensors"], "--output",
        files["table.csv"],
      ] + more, ranks: ranks)
  }

  /// "kind path person other action" of the table's lines.
  private func lines() throws -> [String] {
    try CorrectionTable(path: files["table.csv"]).lines.map {
      "\($0.kind.rawValue) \($0.path?.text ?? "-") \($0.person) \($0.other) \($0.action.text)"
    }.sorted()
  }

  private static let faults = [
    "duplicate p004/8.pgm p004 p004/1.pgm remove", "duplicate p007/9.pgm p007 p006/0.pgm remove",
    "one-person - p005-b p005 join p005", "two-people p002/4.pgm p002 p002-2 move p002-2",
    "two-people p002/5.pgm p002 p002-2 move p002-2", "two-people p002/6.pgm p002 p002-2 move p002-2",
    "validation - p008 v0 remove", "wrong-label p000/3.pgm p000 p001 move p001",
  ]

  @Test func plantedFaultsAndNoOthers() throws {
    var set = sound()
    set[3] = ("p000/3.pgm", 1, "x")
    for image in ["4", "5", "6"] { set.append(("p002/\(image).pgm", 900, image)) }
    set.append(("p004/8.pgm", 4, "1"))
    for image in ["7", "8", "9"] { set.append(("p005-b/\(image).pgm", 5, image)) }
    set.append(("p007/9.pgm", 6, "0"))
    try write(set, to: "set")
    try write(
      ["1", "2", "3"].map { ("v0/\($0).pgm", 8, "v\($0)") }
        + (1..<30).map { ("v\($0.digits(2))/0.pgm", 1000 + $0, "0") }, to: "others")
    let outcome = try clean(
      "--validation", files["others"], "--validation-embeddings", files["others.safetensors"], "--sheet",
      files["sheet.html"])
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let found = try lines()
    #expect(found == Self.faults.sorted())
    #expect(outcome.text.contains("488 images of 121 people") && outcome.text.contains("bounds"), "\(outcome.text)")
    #expect(!outcome.text.contains("Warning"))
    try expectSheet()

    // The same bytes on ranks and threads; without a validation set its people are as good as others.
    let table = try Data(contentsOf: URL(fileURLWithPath: files["table.csv"]))
    let divided = try clean("--threads", "3", ranks: 2)
    #expect(divided.exitCode == 0, "\(divided.text)")
    let alone = try Data(contentsOf: URL(fileURLWithPath: files["table.csv"]))
    #expect(String(decoding: table, as: UTF8.self).contains(String(decoding: alone.dropLast(), as: UTF8.self)))
    let without = try lines()
    #expect(without == Self.faults.filter { !$0.hasPrefix("validation") }.sorted())

    // What the table proposes mends the set: no fault is left.
    let applied = try Subprocess.cosface([
      "dataset", "apply", "--table", files["table.csv"], "--data", files["set"], "--output", files["mended"],
    ])
    #expect(applied.exitCode == 0, "\(applied.text)")
    let names = try FileManager.default.contentsOfDirectory(atPath: files["mended/p001"]).sorted()
    #expect(names.count == 5 && FileManager.default.fileExists(atPath: files["mended/p002-2/6.pgm"]))
    #expect(!FileManager.default.fileExists(atPath: files["mended/p005-b"]))

    // Each bound has its effect.
    func kinds(_ more: String...) throws -> Set<String> {
      #expect(try clean(more[0], more[1]).exitCode == 0)
      return Set(try lines().map { String($0.prefix { $0 != " " }) })
    }
    #expect(try kinds("--label-score", "3") == ["duplicate", "one-person", "two-people"])
    #expect(try !kinds("--person-score", "9").contains("one-person"))
    #expect(try !kinds("--picture-correlation", "1").contains("wrong"))
    #expect(try clean("--false-people", "0.5").exitCode == 0)
    #expect(try lines().count { $0.hasPrefix("one-person") } > 10)
    #expect(try clean("--false-labels", "0.5").exitCode == 0)
  }

  private func expectSheet() throws {
    let page = try String(contentsOfFile: files["sheet.html"], encoding: .utf8)
    // Whom, and what is done.
    for word in [
      "<b>move p001</b>", "<b>join p005</b>", "<b>move p002-2</b>", "validation: v0", "Content-Security-Policy",
    ] {
      #expect(page.contains(word), "\(word)")
    }
    let pictures = page.split(separator: "src=\"data:image/jpeg;base64,").dropFirst()
    #expect(pictures.count > 20)
    for picture in pictures {
      let data = try #require(Data(base64Encoded: String(picture.prefix { $0 != "\"" })))
      #expect(data.starts(with: [0xFF, 0xD8]))
    }
    #expect(!page.contains("<script") && !page.contains("http:") && !page.contains("https:"))
  }

  /// Names are text on the page; only so many findings are shown.
  @Test func namesAreTextAndThePageIsBounded() throws {
    var set = sound()
    for number in 0..<5 { set.append(("<i>&\(number)/1.pgm", number + 20, "1")) }
    try write(set, to: "set")
    let outcome = try clean(
      "--sheet", files["sheet.html"], "--pictures", "2", "--label-score", "9", "--person-score", "1.5")
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    #expect(try lines().filter { $0.hasPrefix("duplicate") }.count == 5)
    let page = try String(contentsOfFile: files["sheet.html"], encoding: .utf8)
    #expect(page.contains("&lt;i&gt;&amp;") && !page.contains("<i>"))
    #expect(page.contains("5 findings") && page.contains("The 2 surest are shown, 3 are left out."))
  }

  @Test func whatCannotBeJudged() throws {
    let few = Array(sound().prefix(12))
    try write(few, to: "set")
    expectRefusal(try clean(), "too few, or too alike, to choose a bound from", "--label-score")
    let given = try clean("--label-score", "1", "--person-score", "1", "--json")
    #expect(given.exitCode == 0, "\(given.text)")
    let report = try JSONDecoder().decode(CleaningReport.self, from: Data(given.text.utf8))
    #expect(report.people == 3 && report.images == 12 && report.bounds.labelScore == 1)
    // Every image shows somebody else.
    try write(few.enumerated().map { ($1.path, 200 + $0, $1.image) }, to: "set")
    let disorder = try clean("--label-score", "1", "--person-score", "1")
    #expect(disorder.text.contains("hardly tells these people apart"), "\(disorder.text)")
    try write(Array(few.prefix(4)), to: "one")
    expectRefusal(
      try Subprocess.cosface([
        "dataset", "clean", "--data", files["one"], "--embeddings", files["one.safetensors"], "--output",
        files["table.csv"],
      ]), "all images are of one person")
    expectRefusal(
      try Subprocess.cosface([
        "dataset", "clean", "--data", files["set"], "--embeddings", files["one.safetensors"], "--output",
        files["table.csv"],
      ]), "have no row of their own")
  }

  /// A network in place of embeddings, on ranks.
  @Test func networksOnRanks() throws {
    try RandomModel.write(.spherenet20, to: files["model.safetensors"])
    let faces = try FaceFolder(people: 6, images: 3)
    var tables: [Data] = []
    for ranks in [1, 2] {
      let outcome = try Subprocess.cosface(
        [
          "dataset", "clean", "--data", faces.path, "--model", files["model.safetensors"], "--output",
          files["table.csv"], "--label-score", "0.5", "--person-score", "1", "--validation", faces.path,
          "--batch-size", "4",
        ], ranks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome.text)")
      tables.append(try Data(contentsOf: URL(fileURLWithPath: files["table.csv"])))
    }
    #expect(tables[0] == tables[1])
    // Everybody is in the validation set, too.
    #expect(try lines().filter { $0.hasPrefix("validation - ") }.count == 6)
  }
}
