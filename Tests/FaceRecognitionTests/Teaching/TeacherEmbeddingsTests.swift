import Datasets
import Files
import Foundation
import Inference
import TestSupport
import Testing

/// Embeddings that `cosface embed` wrote, against the network that they are of.
@Suite(.serialized) struct TeacherEmbeddingsTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder
  private var model: String { files["model.safetensors"] }

  init() throws {
    faces = try FaceFolder(people: 3, images: 3, side: 32)
    files = try TemporaryFolder()
    try RandomModel.write(.mobilefacenet, to: files["model.safetensors"], inputSide: 32)
  }

  /// Runs the program, and returns the file's path.
  private func embed(_ data: String, flip: String = "concatenate", to name: String = "rows") throws -> String {
    let output = files["\(name).safetensors"]
    let outcome = try Subprocess.cosface(
      ["embed", "--model", model, "--data", data, "--output", output, "--flip", flip], ranks: 1)
    try #require(outcome.exitCode == 0, "\(outcome.text)")
    return output
  }

  /// Expects of the rows what the network says, of the pictures mirrored and not. Returns the notes.
  @discardableResult
  private func expectNetworks(_ paths: [String], _ source: any ImageSource, _ place: SourceLocation = #_sourceLocation)
    throws -> [String]
  {
    let rows = try TeacherEmbeddings(paths, of: source, capacity: 6)
    let network = try TeacherNetwork(path: model, capacity: 6, source: source)
    let (looked, computed) = (try TeacherAnswers(rows, source), try TeacherAnswers(network, source))
    #expect(looked.samples == computed.samples && Set(looked.isMirrored).count == 2, sourceLocation: place)
    #expect(looked.difference(to: computed) < 1e-6, sourceLocation: place)
    #expect(rows.width == 32 && rows.imageSide == nil && rows.bytes > source.count * 64 * 4, sourceLocation: place)
    return rows.notes
  }

  @Test func folderAndListsOfIt() throws {
    let rows = try embed(faces.path)
    #expect(try expectNetworks([rows], ImageSet.open(faces.path)).isEmpty)
    #expect(try expectNetworks([rows], ImageSet.unlabelled(paths: [faces.path])).isEmpty)
    // People left out; rows of theirs are of no interest.
    #expect(try expectNetworks([rows], ImageFolder(root: faces.path).subset(people: [0, 2])).isEmpty)
    let names = (0..<9).map { FaceFolder.name($0 / 3, $0 % 3) }
    try faces.write(Data(names.map { "\($0) \($0.prefix(3))\n" }.joined().utf8), to: "people.txt")
    try faces.write(Data(names.map { "\($0)\n" }.joined().utf8), to: "paths.txt")
    let list = try ImageSet.open(faces.path + "/people.txt")
    #expect(try expectNetworks([rows], list).isEmpty)
    #expect(try expectNetworks([embed(faces.path + "/paths.txt", to: "list")], list).isEmpty)
    // Whole paths in lists elsewhere: the ends of the paths tell.
    let whole = names.map { "\(faces.path)/\($0)" }
    let people = try files.write(Data(whole.map { "\($0) \($0.suffix(10))\n" }.joined().utf8), to: "people.txt")
    let paths = try files.write(Data(whole.map { "\($0)\n" }.joined().utf8), to: "paths.txt")
    #expect(try expectNetworks([rows], ImageSet.open(people))[0].contains("last 2 parts"))
    #expect(try expectNetworks([embed(paths, to: "whole")], ImageSet.open(faces.path)).count == 1)
  }

  @Test(arguments: [true, false]) func records(withCatalog: Bool) throws {
    try files.write(to: "set/.keep")
    let record = files["set/train.rec"]
    _ = try RecordPacker(ImageSet.open(faces.path), output: record, reencoding: .init()).run()
    if !withCatalog { try FileManager.default.removeItem(atPath: record + ".catalog") }
    let rows = try embed(files["set"])
    #expect(try expectNetworks([rows], ImageSet.open(record)).isEmpty)
    // "record 1" is another image in each set.
    let other = try FaceFolder(people: 2, images: 2, side: 32)
    let union = try ImageUnion([ImageSet.open(record), ImageSet.open(other.path)], joinsPeople: false)
    #expect(try expectNetworks([rows, embed(other.path, to: "other")], union).isEmpty)
  }

  /// The same names in both sets.
  @Test func unionsInOneFileAndInSeveral() throws {
    let root = try TemporaryFolder()
    for (set, seed) in [("a", 0), ("b", 100)] {
      for image in 0..<6 {
        try root.write(
          FaceFolder.pgm(person: seed + image, image: image, side: 32),
          to: "\(set)/\(FaceFolder.name(image / 2, image))")
      }
    }
    let union = try ImageUnion(["a", "b"].map { try ImageSet.open(root[$0]) }, joinsPeople: false)
    #expect(try expectNetworks([embed(root.path)], union)[0].contains("last 3 parts"))
    let (a, b) = (try embed(root["a"], to: "a"), try embed(root["b"], to: "b"))
    #expect(try expectNetworks([a, b], union).isEmpty)
    let error = #expect(throws: DataError.self) { try TeacherEmbeddings([b], of: union, capacity: 6) }
    #expect(
      error?.reason.hasPrefix("6 of the 12 images of ") == true
        && error?.reason.contains("have no row of their own") == true)
  }

  /// The same names, other pictures: by their files' sizes. Pictures that are not there are nobody's loss.
  @Test func picturesThatWereNotEmbedded() throws {
    let rows = try embed(faces.path)
    let source = try ImageFolder(root: faces.path)
    let names = [FaceFolder.name(0, 2), FaceFolder.name(2, 1)]
    for name in names {
      let path = URL(fileURLWithPath: "\(faces.path)/\(name)")
      try faces.write(Data(contentsOf: path) + [0], to: name)
    }
    let error = #expect(throws: DataError.self) { try TeacherEmbeddings([rows], of: source, capacity: 6) }
    let size = try Data(contentsOf: URL(fileURLWithPath: "\(faces.path)/\(names[0])")).count
    #expect(
      error?.reason.hasPrefix("2 images of ") == true
        && error?.reason.hasSuffix(
          " are not what was embedded: '\(names[0])' has \(size.grouped) bytes, and had \((size - 1).grouped) then")
          == true,
      "\(error?.reason ?? "")")
    let outcomes = try [1, 3].map { ranks in
      try Subprocess.cosface(["evaluate", "--embeddings", rows, "--data", faces.path], ranks: ranks)
    }
    for outcome in outcomes {
      #expect(outcome.exitCode == 1 && outcome.text.contains("2 images of "), "\(outcome.text)")
    }
    for name in names { try FileManager.default.removeItem(atPath: "\(faces.path)/\(name)") }
    #expect(try TeacherEmbeddings([rows], of: source, capacity: 6).width == 32)
  }

  /// One vector for both looks.
  @Test(arguments: ["none", "sum"]) func withoutTheMirroredLook(flip: String) throws {
    let source = try ImageFolder(root: faces.path)
    let rows = try TeacherEmbeddings([try embed(faces.path, flip: flip)], of: source, capacity: 6)
    let answers = try TeacherAnswers(rows, source)
    var known: [Int32: [Float]] = [:]
    for (sample, vector) in zip(answers.samples, answers.vectors) {
      #expect(known.updateValue(vector, forKey: sample).map { $0 == vector } ?? true)
      #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
    }
    #expect(known.count == 9 && Set(answers.isMirrored).count == 2)
  }

  /// The row of the image that stands in for one which cannot be read, and not that of the one wanted.
  @Test func replacedSamples() throws {
    let rows = try embed(faces.path)
    let path = "\(faces.path)/\(FaceFolder.name(1, 1))"
    let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
    try faces.write(Data(count: size), to: FaceFolder.name(1, 1))
    let source = try ImageFolder(root: faces.path)
    let answers = try TeacherAnswers(TeacherEmbeddings([rows], of: source, capacity: 6), source)
    #expect(!answers.samples.contains(4))
    let network = try TeacherNetwork(path: model, capacity: 6, source: source)
    #expect(answers.difference(to: try TeacherAnswers(network, source)) < 1e-6)
  }
}
