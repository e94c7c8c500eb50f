import Datasets
import Files
import Foundation
import Inference
import Testing

/// Files of rows that no training can use.
@Suite struct EmbeddingFileTests {
  private let folder = TestFolder.faces(people: 2, images: 2)
  private let files: TemporaryFolder
  private let names = ["person-0/0.jpg", "person-0/1.jpg", "person-1/0.jpg", "person-1/1.jpg"]

  init() throws { files = try TemporaryFolder() }

  /// Rows of the values 1, 2, 3 ...
  @discardableResult
  private func write(
    _ names: [String], width: Int = 4, flip: FlipTest = .concatenate, to name: String = "rows.safetensors",
    _ change: (inout [Float]) -> Void = { _ in }
  ) throws -> String {
    var values = (0..<(names.count * width)).map { Float($0 + 1) }
    change(&values)
    _ = try EmbeddingFormat.safetensors.write(
      names: names.map { Name($0) }, width: width,
      origin: EmbeddingOrigin(flip: flip, isNormalized: false, weights: "w"), to: files[name], parts: 0..<1
    ) { _ in values }
    return files[name]
  }

  private func open(_ paths: String...) throws -> TeacherEmbeddings {
    try TeacherEmbeddings(paths, of: ImageFolder(root: folder.path), capacity: 4)
  }

  private func expectRefusal(_ parts: String..., body: () throws -> Void) {
    let error = #expect(throws: (any Error).self) { try body() }
    let text = error.map { "\($0)" } ?? ""
    for part in parts { #expect(text.contains(part), "\(text)") }
  }

  @Test func rowsInAnyOrderWithOthersBetween() throws {
    let teacher = try open(write(["other/9.jpg"] + names.reversed()))
    #expect(teacher.width == 2 && teacher.notes.isEmpty)
    let source = try ImageFolder(root: folder.path)
    let answers = try TeacherAnswers(teacher, source)
    for (place, sample) in answers.samples.enumerated() {
      // Row 4 - sample of the file, its first or second half.
      let first = Float((4 - Int(sample)) * 4 + 1 + (answers.isMirrored[place] ? 2 : 0))
      let norm = (first * first + (first + 1) * (first + 1)).squareRoot()
      #expect(zip(answers.vectors[place], [first / norm, (first + 1) / norm]).allSatisfy { abs($0 - $1) < 1e-6 })
    }
    // The digest is that of what is said, whatever the file's order.
    #expect(try teacher.digest != open(write(names)).digest)
    let again = try open(write(names.reversed()) { $0 = (0..<16).map { Float($0 + 5) } })
    #expect(teacher.digest == again.digest)
  }

  @Test func metadataTellHowRowsWereMade() throws {
    let file = try SafetensorsFile(path: write(names, flip: .sum))
    #expect(file.metadata == ["flip": "sum", "normalize": "false", "weights": "w"])
    for (metadata, part) in [([:], "does not say"), (["flip": "twice"], "'twice', which is unknown")] {
      var writer = SafetensorsWriter(metadata: metadata)
      writer.add("embeddings", shape: [4, 1], [1, 2, 3, 4] as [Float])
      let lines = Array(names.map { $0 + "\n" }.joined().utf8)
      writer.add("names", shape: [lines.count], lines)
      try writer.write(to: files["old.safetensors"])
      expectRefusal("old.safetensors", part, "Embed again") { _ = try open(files["old.safetensors"]) }
    }
    var writer = SafetensorsWriter(metadata: ["flip": "none"])
    writer.add("names", shape: [2], Array("a\n".utf8))
    try writer.write(to: files["no-rows.safetensors"])
    writer.add("embeddings", shape: [1, 1], [1] as [Float])
    writer.add("sizes", shape: [2], [7, 8] as [Int64])
    try writer.write(to: files["sizes.safetensors"])
    expectRefusal("its sizes are I64 of shape [2], for 1 row") { _ = try open(files["sizes.safetensors"]) }
    expectRefusal("does not hold", "Embed again") { _ = try open(files["no-rows.safetensors"]) }
  }

  @Test func missingImagesAreNamed() throws {
    expectRefusal(
      "2 of the 4 images", "'person-0/1.jpg', 'person-1/1.jpg';", "such as 'person-0/0.jpg'", "embed --data"
    ) {
      _ = try open(write([names[0], names[2]]))
    }
    expectRefusal("4 of the 4 images", "'person-0/0.jpg'", "and others", "such as 'x/y.jpg'") {
      _ = try open(write(["x/y.jpg"]))
    }
    // By the files' names alone, 0.jpg is one of two.
    expectRefusal("have no row of their own") { _ = try open(write(["0.jpg", "1.jpg"])) }
  }

  @Test func contradictions() throws {
    expectRefusal("'person-0/1.jpg' has two rows that differ") { _ = try open(write(names + [names[1]])) }
    let twice = try write(names + [names[1]]) { $0.replaceSubrange(16..<20, with: $0[4..<8]) }
    #expect(try open(twice).width == 2)
    let (wide, narrow) = (try write([names[0]], to: "a.safetensors"), try write(names, width: 2, to: "b.safetensors"))
    expectRefusal("b.safetensors", "2 x 1 wide", "2 x 2 wide", "same model") { _ = try open(wide, narrow) }
    // A set in two files.
    let halves = [
      try write([names[0], names[3]], to: "c.safetensors"), try write([names[1], names[2]], to: "d.safetensors"),
    ]
    #expect(try open(halves[0], halves[1]).notes.isEmpty)
  }

  @Test func valuesAndShapes() throws {
    expectRefusal("embedding of 'person-1/0.jpg' holds a value that is not finite") {
      _ = try open(write(names) { $0[9] = .nan })
    }
    expectRefusal("'person-0/1.jpg' is all zeros") {
      _ = try open(
        write(names) {
          $0[6] = 0; $0[7] = 0
        })
    }
    expectRefusal("shape [4, 3]", "an even number") { _ = try open(write(names, width: 3)) }
    expectRefusal("shape [4, 65538]", "1 to 65536") { _ = try open(write(names, width: 65538)) }
    expectRefusal("5 names for 4 rows") {
      _ = try open(write(["a\nb"] + names.dropFirst()))
    }
    let whole = try Data(contentsOf: URL(fileURLWithPath: write(names)))
    for count in [0, 7, 100, whole.count - 1] {
      try files.write(whole.prefix(count), to: "cut.safetensors")
      expectRefusal("cut.safetensors") { _ = try open(files["cut.safetensors"]) }
    }
    expectRefusal("nowhere") { _ = try open(files["nowhere"]) }
  }
}
