import Datasets
import FaceRecognition
import Files
import Foundation
import Inference
import NeuralNetwork
import TestSupport
import Testing
import Weights

/// Galleries as files: `cosface embed`, `gallery` and `identify` as a person meets them.
@Suite(.serialized) struct GalleryCommandTests {
  private let faces: FaceFolder
  private let strangers: FaceFolder
  private let files: TemporaryFolder

  /// Four people of three images, and the fourth image of two of them and of a stranger.
  init() throws {
    faces = try FaceFolder(people: 4, images: 3, side: 48)
    strangers = try FaceFolder(people: 0, images: 0)
    for (name, person) in [("1.pgm", 2), ("2.pgm", 0), ("deep/3.pgm", 9)] {
      try strangers.write(FaceFolder.pgm(person: person, image: 3, side: 48), to: name)
    }
    files = try TemporaryFolder()
    let network = NetworkKind.mobilefacenet.makeNetwork(embeddingWidth: 32, inputSide: 48)
    network.initialize(seed: 1)
    let description = ModelDescription(network: .mobilefacenet, embeddingWidth: 32, inputSide: 48)
    try ModelFile.write(network, classWeight: nil, description, to: files["model.safetensors"])
  }

  private func cosface(_ arguments: [String], ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(arguments, ranks: ranks)
  }

  @discardableResult
  private func run(_ command: String, _ arguments: String..., ranks: Int = 1) throws -> Subprocess.Outcome {
    let outcome = try cosface(
      command.split(separator: " ").map(String.init) + ["--model", files.path] + arguments, ranks: ranks)
    #expect(outcome.exitCode == 0, "\(command) \(arguments): \(outcome.text)")
    return outcome
  }

  private func embed(_ data: String, _ name: String, _ more: [String] = []) throws -> String {
    let outcome = try cosface(
      ["embed", "--model", files.path, "--data", data, "--output", files[name]] + more)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    return files[name]
  }

  private func search(_ outcome: Subprocess.Outcome) throws -> GallerySearch {
    let json = outcome.lines.drop { $0 != "{" }.joined(separator: "\n")
    return try JSONDecoder().decode(GallerySearch.self, from: Data(json.utf8))
  }

  private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

  /// A folder of some of the people.
  private func folder(_ people: Range<Int>, _ name: String) throws -> String {
    for person in people {
      for image in 0..<3 {
        try files.write(
          FaceFolder.pgm(person: person, image: image, side: 48), to: "\(name)/\(FaceFolder.name(person, image))")
      }
    }
    return files[name]
  }

  /// The same people found by the same cosines, whatever the form of the gallery and of the photographs.
  @Test func aFileAnswersAsItsImages() throws {
    let file = try embed(faces.path, "gallery.safetensors")
    let folder = try search(
      run("identify", "--gallery", faces.path, "--probes", strangers.path, "--json", "--top", "4", ranks: 2))
    #expect(folder.photographs.map(\.path) == ["1.pgm", "2.pgm", "deep/3.pgm"] && folder.people == 4)
    #expect(folder.photographs.prefix(2).map { $0.candidates[0].name } == ["p02", "p00"])
    #expect(folder.photographs.allSatisfy { $0.candidates.count == 4 && $0.isNobody == nil })
    let own = try search(run("identify", "--gallery", file, "--probes", strangers.path, "--json", "--top", "4"))
    #expect(own.photographs == folder.photographs && own.notes.isEmpty)
    let rows = try embed(strangers.path, "probes.safetensors")
    #expect(
      try search(run("identify", "--gallery", file, "--probes", rows, "--json", "--top", "4")).photographs
        == folder.photographs)

    // Between the stranger's nearest and those of the others.
    let best = folder.photographs.map { $0.candidates[0].cosine }
    #expect(best[2] < min(best[0], best[1]))
    let threshold = "\((best[2] + min(best[0], best[1])) / 2)"
    let output = files["found.csv"]
    let outcome = try run(
      "identify", "--gallery", file, "--probes", rows, "--threshold", threshold, "--output", output, "--top", "2")
    #expect(
      outcome.lines[0] == "searched   3 photographs among 4 people, 1 of them of nobody in the gallery",
      "\(outcome.text)")
    let lines = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n").map(String.init)
    #expect(lines[0] == "photograph,rank,person,cosine,match" && lines.count == 7)
    #expect(lines[1] == "1.pgm,1,p02,\(best[0]),1" && lines[5].hasPrefix("deep/3.pgm,1,"))
    #expect(lines[5].hasSuffix(",\(best[2]),0"))
    let judged = try search(
      run("identify", "--gallery", file, "--threshold", threshold, "--json", strangers.path + "/deep/3.pgm"))
    #expect(judged.photographs[0].isNobody == true && judged.photographs[0].candidates.count == 4)
  }

  /// What a set says of people is in the file, and nothing where the folders say it.
  @Test func recordsAndListsKeepTheirPeople() throws {
    let file = try embed(faces.path, "folder.safetensors")
    try files.write(to: "set/.keep")
    _ = try RecordPacker(ImageSet.open(faces.path), output: files["set/train.rec"], reencoding: .init()).run()
    #expect(try bytes(embed(files["set"], "record.safetensors")) == bytes(file))
    try FileManager.default.removeItem(atPath: files["set/train.rec.catalog"])
    expectRefusal(
      try cosface(["gallery", "add", "--model", files.path, "--gallery", file, "--data", files["set"]]),
      "its images have no names")
    let names = ["Ada", "Bo", "Cy", "Di, jr."]
    let lines = (0..<12).map { "\(faces.path)/\(FaceFolder.name($0 / 3, $0 % 3))\t\(names[$0 / 3])\n" }
    let list = try files.write(Data(lines.joined().utf8), to: "list.txt")
    let listed = try embed(list, "listed.safetensors")
    let people = try EmbeddingFile(path: listed).people()
    #expect(people == names.flatMap { [Name](repeating: Name($0), count: 3) })
    for gallery in [listed, list] {
      let found = try search(run("identify", "--gallery", gallery, "--json", strangers.path + "/1.pgm"))
      #expect(found.photographs[0].candidates[0].name == "Cy" && found.people == 4)
    }
    let table = try cosface(["gallery", "list", "--gallery", listed])
    #expect(table.lines[0].contains("12 rows of 4 people, 32 wide, --flip sum, weights "), "\(table.text)")
    #expect(table.lines[4] == "Di, jr.  3" && table.lines.count == 5)
    let json = try cosface(["gallery", "list", "--gallery", listed, "--json"])
    #expect(json.text.contains("\"rows\" : 12") && json.text.contains("\"Di, jr.\""), "\(json.text)")
  }

  /// As if all had been embedded at once; rows of the others keep their bytes.
  @Test func peopleComeAndGo() throws {
    let some = try folder(1..<3, "some")
    let others = try folder(0..<4, "others")
    for more in [[], ["--flip", "concatenate", "--normalize"]] {
      let flip = Array(more.prefix(2))
      let whole = try bytes(embed(faces.path, "whole.safetensors", more))
      let gallery = try embed(some, "gallery.safetensors", more)
      let before = try bytes(gallery)
      let add = ["gallery", "add", "--model", files.path, "--gallery", gallery, "--data", others, "--batch-size", "5"]
      let added = try cosface(add + flip, ranks: 2)
      #expect(added.lines.contains("kept      6 images that the gallery has rows of, unchanged"), "\(added.text)")
      #expect(added.lines.contains("added     6 images; \(gallery) has 12 rows of 4 people"), "\(added.text)")
      #expect(try bytes(gallery) == whole)
      let again = try cosface(add + flip)
      #expect(again.exitCode == 0 && again.text.contains("added     0 images"), "\(again.text)")
      #expect(try bytes(gallery) == whole)
      let removed = try cosface(["gallery", "remove", "--gallery", gallery, "--person", "p00", "p03"])
      #expect(removed.text == "removed   6 rows; \(gallery) has 6 rows of 2 people", "\(removed.text)")
      #expect(try bytes(gallery) == before)
    }
    let gallery = files["gallery.safetensors"]
    let before = try bytes(gallery)
    expectRefusal(
      try cosface(["gallery", "remove", "--gallery", gallery, "--person", "p01", "who"]), "is called 'who'")
    expectRefusal(
      try cosface(["gallery", "remove", "--gallery", gallery, "--person", "p01", "p02"]), "nobody would be left")
    let add = ["gallery", "add", "--model", files.path, "--gallery", gallery, "--data"]
    expectRefusal(try cosface(add + [others]), "--flip concatenate, and this is --flip sum")
    expectRefusal(
      try cosface(add + [strangers.path, "--flip", "concatenate"], ranks: 2), "1.pgm",
      "nothing says whom this image shows")
    let picture = try Data(contentsOf: URL(fileURLWithPath: "\(some)/p01/00.pgm"))
    try files.write(picture + [0], to: "changed/p01/00.pgm")
    expectRefusal(
      try cosface(add + [files["changed"], "--flip", "concatenate"]), "'p01/00.pgm' of another picture",
      "has \((picture.count + 1).grouped) bytes, that had \(picture.count.grouped)")
    let list = try files.write(Data("\(some)/p01/00.pgm\tAda\n".utf8), to: "others.txt")
    #expect(try cosface(add + [list, "--flip", "concatenate"]).exitCode == 0)
    #expect(try GalleryFile(path: gallery).people == ["Ada", "p01", "p02"])
    // A row whose person is another in the set.
    try files.write(Data("\(some)/p01/00.pgm\tBo\n".utf8), to: "others.txt")
    expectRefusal(try cosface(add + [list, "--flip", "concatenate"]), "that shows 'Ada'", "here it is 'Bo'")
    #expect(try cosface(["gallery", "remove", "--gallery", gallery, "--person", "Ada"]).exitCode == 0)
    #expect(try bytes(gallery) == before)
  }

  /// The library finds what `identify` finds.
  @Test func fromCode() throws {
    let file = try embed(faces.path, "gallery.safetensors")
    let photographs = ["1.pgm", "deep/3.pgm"].map { "\(strangers.path)/\($0)" }
    let found = try search(run("identify", "--gallery", file, "--json", "--top", "2", photographs[0], photographs[1]))
    let model = try FaceModel(path: files.path)
    let people = try model.people(path: file)
    let nearest = try people.nearest(to: model.embed(files: photographs), count: 2)
    #expect(people.count == 4)
    for (candidates, photograph) in zip(nearest, found.photographs) {
      #expect(candidates.map(\.name) == photograph.candidates.map(\.name.text))
      for (own, other) in zip(candidates, photograph.candidates) {
        #expect(abs(own.cosine - other.cosine) < 1e-6 && own.images == 3)
      }
    }
    #expect(throws: (any Error).self) { try model.people(path: file, flip: false) }
    #expect(throws: (any Error).self) { try people.nearest(to: [FaceEmbedding(values: [1])], count: 1) }
  }

  /// `embed` and `evaluate` measure the same, by each flip test.
  @Test(arguments: FlipTest.allCases) func cosinesAreThoseOfEvaluate(flip: FlipTest) throws {
    let file = try EmbeddingFile(path: embed(faces.path, "rows.safetensors", ["--flip", flip.rawValue]))
    try run("evaluate", "--data", faces.path, "--flip", flip.rawValue, "--output", files["scores.csv"])
    let (table, rows) = (try file.table(), Dictionary(uniqueKeysWithValues: zip(file.names, 0...)))
    let lines = try String(contentsOfFile: files["scores.csv"], encoding: .utf8).split(separator: "\n").dropFirst()
    #expect(lines.count == 66)
    for line in lines.map({ $0.split(separator: ",") }) {
      let cosine = table.cosine(rows[Name(line[0])]!, rows[Name(line[1])]!)
      // Of two looks, the norm is made of both looks' norms there, and of all values here.
      #expect(abs(cosine - Double(line[4])!) <= (flip == .concatenate ? 1e-15 : 0), "\(line)")
    }
  }

  @Test func galleriesThatDoNotFit() throws {
    let file = try embed(faces.path, "gallery.safetensors")
    func identify(_ gallery: String, _ more: String...) throws -> Subprocess.Outcome {
      try cosface(
        ["identify", "--model", files.path, "--gallery", gallery, "\(strangers.path)/1.pgm"] + more)
    }
    expectRefusal(
      try identify(file, "--flip", "none"), "gallery.safetensors: its rows were made with --flip sum",
      "Give --flip sum, or embed the images again")
    expectRefusal(try identify(try embed(strangers.path, "loose.safetensors")), "the row '1.pgm' does not say whom")
    // As former versions wrote them.
    func write(_ metadata: [String: String], width: Int = 32, _ people: String? = nil) throws -> String {
      var writer = SafetensorsWriter(metadata: metadata)
      let rows = try EmbeddingFile(path: file).withRows { $0.bindMemory(to: Float.self).map { $0 } }
      writer.add("embeddings", shape: [12, width], Array(rows.prefix(12 * width)))
      for (name, text) in [("names", (0..<12).map { "p/\($0)\n" }.joined()), ("people", people ?? "")]
      where !text.isEmpty {
        writer.add(name, shape: [text.utf8.count], Array(text.utf8))
      }
      try writer.write(to: files["old.safetensors"])
      return files["old.safetensors"]
    }
    let old = try identify(write(["flip": "sum", "normalize": "false"]), "--top", "1")
    #expect(old.exitCode == 0 && old.text.contains("does not say which model made it"), "\(old.text)")
    expectRefusal(try identify(write([:])), "does not say what its rows were made of")
    expectRefusal(try identify(write(["flip": "sum"], width: 16)), "its rows have 16 values", "32")
    expectRefusal(try identify(write(["flip": "sum"], "a\nb\n")), "it names 2 people for 12 rows")
    expectRefusal(
      try cosface([
        "gallery", "add", "--model", files.path, "--gallery", write(["flip": "sum"]), "--data", faces.path,
      ]), "does not say which model made its rows")
    try RandomModel.write(.mobilefacenet, to: files["model.safetensors"], seed: 9)
    expectRefusal(try identify(file), "made by other weights than those of \(files.path)", "cosface embed --model")
  }

  /// Some of the photographs may be unreadable, as many as it is told.
  @Test func unreadablePhotographs() throws {
    let file = try embed(faces.path, "gallery.safetensors")
    try strangers.write(Data("P5\n48 48\n255\n".utf8), to: "2.pgm")
    let command = ["identify", "--model", files.path, "--gallery", file, "--probes", strangers.path]
    expectRefusal(try cosface(command, ranks: 2), "2.pgm")
    let outcome = try cosface(command + ["--max-bad-images", "0.4", "--top", "1"])
    #expect(outcome.exitCode == 0 && outcome.lines[0].hasPrefix("skipped    2.pgm: "), "\(outcome.text)")
    #expect(outcome.lines.contains("1.pgm") && outcome.lines.contains("deep/3.pgm") && !outcome.lines.contains("2.pgm"))
  }
}
