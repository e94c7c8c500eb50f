import Evaluation
import Foundation
import Inference
import NeuralNetwork
import TestSupport
import Testing
import Weights

/// `cosface compare` and `cosface identify` as a person meets them.
@Suite(.serialized) struct CompareCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder

  /// A network of random weights, which tells the made-up people apart a little.
  init() throws {
    faces = try FaceFolder(people: 4, images: 4)
    files = try TemporaryFolder()
    let network = NetworkKind.spherenet20.makeNetwork(embeddingWidth: 32, inputSide: 48)
    network.initialize(seed: 4)
    try ModelFile.write(
      network, classWeight: nil, ModelDescription(network: .spherenet20, embeddingWidth: 32, inputSide: 48, step: 7),
      to: files["model.safetensors"])
  }

  private func face(_ person: Int, _ image: Int) -> String { "\(faces.path)/\(FaceFolder.name(person, image))" }

  private func compare(_ first: String, _ second: String, _ more: String..., ranks: Int = 1) throws
    -> Subprocess.Outcome
  {
    try Subprocess.cosface(["compare", first, second, "--model", files.path] + more, ranks: ranks)
  }

  private func comparison(_ outcome: Subprocess.Outcome) throws -> FaceComparison {
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    return try JSONDecoder().decode(FaceComparison.self, from: Data(outcome.text.utf8))
  }

  @Test func cosinesAndVerdicts() throws {
    let unknown = try compare(face(0, 0), face(0, 1))
    #expect(unknown.lines.last == "verdict    unknown" && unknown.text.contains("evaluate --keep-threshold"))
    let itself = try comparison(compare(face(0, 0), face(0, 0), "--json"))
    #expect(itself.cosine > 0.999999 && itself.samePerson == nil)
    let other = try comparison(compare(face(0, 0), face(1, 0), "--json", "--threshold", "1"))
    #expect(other.cosine < 1 && other.samePerson == false)
    #expect(try comparison(compare(face(0, 0), face(1, 0), "--json", "--threshold=-1")).samePerson == true)
    let ranks = try compare(face(0, 0), face(1, 0), "--threshold", "1", ranks: 2)
    #expect(ranks.lines.filter { $0 == "verdict    different people" }.count == 1, "\(ranks.text)")
  }

  /// The threshold is that of `evaluate`, and of these weights alone.
  @Test func theRunsThreshold() throws {
    let evaluation = try Subprocess.cosface(
      ["evaluate", "--model", files.path, "--data", faces.path, "--keep-threshold", "--json"])
    #expect(evaluation.exitCode == 0, "\(evaluation.text)")
    let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(evaluation.text.utf8))
    let first = try comparison(compare(face(0, 0), face(0, 1), "--json"))
    #expect(first.threshold == report.verification.best.threshold)
    #expect(first.thresholdSource.contains("120 pairs of \(faces.path)"))
    #expect(first.samePerson == (first.cosine >= report.verification.best.threshold))
    // Embeddings of another kind have other cosines.
    #expect(try comparison(compare(face(0, 0), face(0, 1), "--json", "--flip", "none")).threshold == nil)
    let joined = ["--flip", "concatenate"]
    let kept = try Subprocess.cosface(
      ["evaluate", "--model", files.path, "--data", faces.path, "--keep-threshold", "--json"] + joined)
    let best = try JSONDecoder().decode(EvaluationReport.self, from: Data(kept.text.utf8)).verification.best
    #expect(
      try comparison(compare(face(0, 0), face(0, 1), "--json", "--flip", "concatenate")).threshold == best.threshold)
    #expect(try compare(face(0, 0), face(0, 1)).text.contains("the run's is for --flip concatenate"))
    #expect(try identify(face(0, 0), more: joined).exitCode == 0)
    try RandomModel.write(.spherenet20, to: files["model.safetensors"], seed: 9)
    #expect(try comparison(compare(face(0, 0), face(0, 1), "--json")).threshold == nil)
    try files.write(Data("{".utf8), to: "threshold.json")
    expectRefusal(try compare(face(0, 0), face(0, 1)), "threshold.json", "is damaged")
  }

  @Test func photographsThatCannotBeRead() throws {
    expectRefusal(try compare(face(0, 0), files["none.jpg"]), "none.jpg", "No such file")
    let broken = try files.write(Data("no picture".utf8), to: "broken.jpg")
    expectRefusal(try compare(broken, face(0, 0), ranks: 2), "broken.jpg", "neither JPEG nor PNG")
    expectRefusal(try compare(face(0, 0), face(0, 1), "--threshold", "2"), "--threshold", "from -1 to 1")
  }

  private func identify(_ photographs: String..., more: [String] = [], gallery: String? = nil, ranks: Int = 1) throws
    -> Subprocess.Outcome
  {
    try Subprocess.cosface(
      ["identify", "--model", files.path, "--gallery", gallery ?? faces.path] + photographs + more, ranks: ranks)
  }

  @Test func identifiesByTheMeanDirection() throws {
    // The gallery has three images of each person, the photographs are the fourth.
    let gallery = try FaceFolder(people: 4, images: 3)
    let outcome = try identify(face(2, 3), face(1, 3), more: ["--json", "--top", "3"], gallery: gallery.path)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let result = try JSONDecoder().decode(GallerySearch.self, from: Data(outcome.text.utf8))
    #expect(result.people == 4 && result.photographs.map(\.path) == [face(2, 3), face(1, 3)])
    #expect(result.photographs.map { $0.candidates[0].name } == ["p02", "p01"])
    for photograph in result.photographs {
      #expect(photograph.candidates.count == 3 && photograph.candidates.allSatisfy { $0.images == 3 })
      #expect(photograph.candidates.map(\.cosine) == photograph.candidates.map(\.cosine).sorted(by: >))
    }
    // One image in the gallery: the template is its direction, and the cosine that of compare.
    let single = try FaceFolder(people: 4, images: 1)
    let alone = try identify(face(2, 3), more: ["--json", "--top", "1"], gallery: single.path, ranks: 2)
    let best = try JSONDecoder().decode(GallerySearch.self, from: Data(alone.text.utf8)).photographs[0].candidates[0]
    let pair = try comparison(compare(face(2, 3), "\(single.path)/\(best.name)/00.pgm", "--json"))
    #expect(abs(best.cosine - pair.cosine) < 1e-5)
    let table = try identify(face(2, 3), more: ["--threshold", "1"], gallery: gallery.path)
    #expect(table.lines[0] == face(2, 3) && table.lines[2].hasPrefix("  1  ") && table.lines.count == 7)
    #expect(table.lines[1] == "  answer  nobody" && table.lines[6] == "threshold  1.0000, given", "\(table.text)")
    #expect(table.lines[2].hasSuffix("p02 (3 images, below the threshold)"))
    let found = try identify(face(2, 3), more: ["--threshold=-1", "--top", "1"], gallery: gallery.path)
    #expect(found.lines[1] == "  answer  p02" && found.lines.count == 4, "\(found.text)")
    #expect(result.photographs.allSatisfy { $0.isNobody == nil })
  }

  @Test(arguments: [1, 2]) func galleriesThatCannotBeUsed(ranks: Int) throws {
    let empty = try FaceFolder(people: 2, images: 1)
    try FileManager.default.createDirectory(atPath: "\(empty.path)/p77", withIntermediateDirectories: true)
    expectRefusal(
      try identify(face(0, 0), gallery: empty.path, ranks: ranks), "p77", "a person's folder without an image file")
    expectRefusal(try identify(face(0, 0), gallery: files["nowhere"], ranks: ranks), "nowhere")
    expectRefusal(try identify(files["none.jpg"], ranks: ranks), "none.jpg")
    expectRefusal(try identify(face(0, 0), more: ["--top", "0"], ranks: ranks), "--top", "from 1 to")
  }
}
