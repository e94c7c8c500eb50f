import Datasets
import Evaluation
import Files
import Foundation
import Inference
import NeuralNetwork
import TestSupport
import Testing
import Weights

/// Two people whose names are one text to `String` and two to the disk, through every command.
@Suite(.serialized) struct NameCommandTests {
  private static let zoes = ["Zo\u{EB}", "Zoe\u{308}"]
  private let files: TemporaryFolder
  private let model: String

  init() throws {
    files = try TemporaryFolder()
    model = files["model.safetensors"]
    let network = NetworkKind.spherenet20.makeNetwork(embeddingWidth: 32, inputSide: 16)
    network.initialize(seed: 4)
    let description = ModelDescription(
      network: .spherenet20, embeddingWidth: 32, inputSide: 16, classNames: [Name(Self.zoes[0])])
    try ModelFile.write(network, classWeight: nil, description, to: model)
    for (person, name) in (Self.zoes + ["bo"]).enumerated() { try addPerson(person, name, to: "faces") }
    // Foundation must not have made one name of the two.
    try #require(ImageFolder(root: files["faces"]).count == 9)
  }

  private func addPerson(_ person: Int, _ name: String, to folder: String, images: Range<Int> = 0..<3) throws {
    for image in images {
      try files.write(FaceFolder.pgm(person: person, image: image, side: 48), to: "\(folder)/\(name)/\(image).pgm")
    }
  }

  private func run(_ arguments: String..., ranks: Int = 1) throws -> Subprocess.Outcome {
    let outcome = try Subprocess.cosface(arguments, ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    return outcome
  }

  private func text(_ name: String) throws -> String { try String(contentsOfFile: files[name], encoding: .utf8) }

  private func compare(_ a: String, _ b: String) throws -> Double {
    let text = try run("compare", "--model", model, files[a], files[b], "--json").text
    return try JSONDecoder().decode(FaceComparison.self, from: Data(text.utf8)).cosine
  }

  @Test func evaluationTellsThemApart() throws {
    let (composed, decomposed) = ("faces/\(Self.zoes[0])/0.pgm", "faces/\(Self.zoes[1])/0.pgm")
    let truth = try compare(composed, decomposed)
    #expect(truth < 0.999)
    let images = [composed, decomposed, "faces/\(Self.zoes[0])/1.pgm"].map { files[$0] }
    try files.write(Data("\(images[0])\t\(images[1])\t0\n\(images[0])\t\(images[2])\t1\n".utf8), to: "pairs.txt")
    let output = files["scores.csv"]
    _ = try run(
      "evaluate", "--model", model, "--data", files["faces"], "--pairs", files["pairs.txt"], "--output", output)
    let cosine = try #require(
      text("scores.csv").split(separator: "\n")[1].split(separator: ",").last.flatMap { Double($0) })
    #expect(abs(cosine - truth) < 1e-5)

    let people = try run("evaluate", "--model", model, "--data", files["faces"])
    #expect(people.text.contains("Warning: 1 of the 3 people bear names"), "\(people.text)")
    let search = try run(
      "evaluate", "--model", model, "--probes", files["faces"], "--gallery", files["faces"], "--json")
    let json = search.lines.drop { $0 != "{" }.joined(separator: "\n")
    let report = try JSONDecoder().decode(IdentificationReport.self, from: Data(json.utf8))
    // Each image is among the gallery's; 3 of the 9 are its person's, of whom the nearest counts.
    #expect(report.people == 3 && report.searches == 9 && report.largestGallery == 7 && report.rates[0].found == 9)
    let found = try run("identify", "--model", model, "--gallery", files["faces"], files[decomposed], "--json")
    let best = try JSONDecoder().decode(GallerySearch.self, from: Data(found.text.utf8)).photographs[0].candidates
    #expect(best.count == 3 && best[0].name == Name(Self.zoes[1]) && Set(best.map(\.name)).count == 3)
  }

  @Test func datasetsKeepBoth() throws {
    try files.write(to: "packed/.keep")
    _ = try run("dataset", "pack", files["faces"], files["packed/train.rec"])
    _ = try run("dataset", "unpack", files["packed/train.rec"], files["unpacked"])
    let folders = try ["faces", "unpacked"].map { try ImageFolder(root: files[$0]) }
    #expect(folders[1].classNames == ["Zoe\u{308}", "Zo\u{EB}", "bo"])
    for sample in 0..<9 { #expect(try folders[0].encodedImage(of: sample) == folders[1].encodedImage(of: sample)) }
    #expect(folders[0].count == 9 && folders[1].count == 9)

    let points = AlignedSize.square.template.map { "\($0.x),\($0.y)" }.joined(separator: ",")
    // To a Character, the slash before an accent is none.
    let names = Self.zoes.map { "\($0)/0.pgm" } + ["bo/\u{301}0.pgm"]
    for (person, name) in names.enumerated() {
      try files.write(FaceFolder.pgm(person: person, image: 0, side: 112), to: "photographs/\(name)")
    }
    let table = ["path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5"] + names.map { "\($0),\(points)" }
    try files.write(Data(table.joined(separator: "\n").utf8), to: "table.csv")
    _ = try run(
      "dataset", "align", files["photographs"], files["aligned"], "--landmarks", files["table.csv"], "--format", "png")
    let aligned = try ImageFolder(root: files["aligned"])
    #expect(aligned.classNames == ["Zoe\u{308}", "Zo\u{EB}", "bo"] && aligned.identifier(of: 2) == "bo/\u{301}0.png")
    #expect(try aligned.encodedImage(of: 0) != aligned.encodedImage(of: 1))
  }

  /// Rows of known people keep their bits, each its own; who is joined to whom; what a resumed run refuses.
  @Test func trainingKnowsThemApart() throws {
    func train(_ run: String, _ more: String...) throws -> Subprocess.Outcome {
      try Subprocess.cosface(
        [
          "train", "--output", files[run], "--network", "spherenet20", "--embedding", "32", "--input-size", "16",
          "--batch-size", "2", "--steps", "1", "--stop-after", "0", "--data",
        ] + more)
    }
    func rows(_ run: String) throws -> [Name: [Float]] {
      let file = try SafetensorsFile(path: files["\(run)/checkpoints/step-00000000/model.safetensors"])
      let values = try file.floats(of: "classWeight")
      let names = try ModelFile.description(of: file).classNames
      #expect(values.count == 32 * names.count && Set(names).count == names.count)
      return Dictionary(names.enumerated().map { ($1, Array(values[(32 * $0)..<(32 * ($0 + 1))])) }) { a, _ in a }
    }
    #expect(try train("first", files["faces"]).exitCode == 75)
    let first = try rows("first")
    // Only the decomposed one is known here, and the other one new.
    try addPerson(1, Self.zoes[1], to: "more")
    try addPerson(5, "new", to: "more")
    let second = try train("second", files["more"], "--weights", files["first/checkpoints/step-00000000"])
    #expect(second.exitCode == 75 && second.text.contains("1 new rows"), "\(second.text)")
    #expect(second.text.contains("2 people of the file are not in the data"), "\(second.text)")
    #expect(try rows("second")[Name(Self.zoes[1])] == first[Name(Self.zoes[1])])

    let joined = try train("joined", files["faces"], files["more"], "--join-people")
    #expect(joined.exitCode == 75 && joined.text.contains("15 images of 4 people"), "\(joined.text)")

    // The same images under the other spelling are other people.
    try addPerson(0, Self.zoes[0], to: "renamed")
    try addPerson(2, "bo", to: "renamed")
    #expect(try train("third", files["renamed"]).exitCode == 75)
    let (old, new) = (files["renamed/\(Self.zoes[0])"], files["renamed/\(Self.zoes[1])"])
    try #require(rename(old, new) == 0)
    expectRefusal(try Subprocess.cosface(["train", "--resume", files["third"]]), "people")
    // A path in the other spelling is another path.
    try files.write(to: "\(Self.zoes[1])/.keep")
    try #require(rename(files["renamed"], files["\(Self.zoes[0])"]) == 0)
    try #require(rename(files["\(Self.zoes[0])/\(Self.zoes[1])"], files["\(Self.zoes[0])/\(Self.zoes[0])"]) == 0)
    expectRefusal(
      try Subprocess.cosface(["train", "--resume", files["third"], "--data", files[Self.zoes[1]]]),
      "the folder is empty")
    let resumed = try Subprocess.cosface(
      ["train", "--resume", files["third"], "--data", files[Self.zoes[0]], "--stop-after", "0"])
    #expect(resumed.exitCode == 75, "\(resumed.text)")
  }

  /// Validated on people or images that it trains on, a run says so at its start.
  @Test func validationByTrainedPeopleIsTold() throws {
    func validated(_ run: String, by data: String, _ more: String...) throws -> Subprocess.Outcome {
      let outcome = try Subprocess.cosface(
        [
          "train", "--output", files[run], "--network", "spherenet20", "--embedding", "32", "--input-size", "16",
          "--batch-size", "2", "--steps", "1", "--stop-after", "0", "--data", files["faces"], "--validation", data,
        ] + more)
      #expect(outcome.exitCode == 75, "\(outcome.text)")
      return outcome
    }
    try addPerson(1, Self.zoes[1], to: "known", images: 5..<7)
    try addPerson(7, "\u{1B}[31mred", to: "known", images: 5..<7)
    let people = try validated("people", by: files["known"])
    #expect(
      people.text.contains(
        "warning   1 of the 2 people of the validation 'known' have names of people in --data (\(Self.zoes[1]))"),
      "\(people.text)")
    #expect(people.text.contains("the threshold that is kept") && !people.text.contains("images of the validation"))
    // Pairs say nothing of people; the link leads to the same images.
    try #require(symlink(files["faces"], files["link"]) == 0)
    try files.write(Data("bo/0.pgm bo/1.pgm 1\nbo/0.pgm \(Self.zoes[0])/0.pgm 0\n".utf8), to: "pairs.txt")
    let pairs = try validated("pairs", by: files["pairs.txt"], "--validation-images", files["link"])
    #expect(
      pairs.text.contains("warning   3 of the 3 images of the validation 'pairs' are images in --data ("),
      "\(pairs.text)")
    try addPerson(8, "other", to: "strangers")
    try addPerson(9, "others", to: "strangers")
    #expect(try !validated("strangers", by: files["strangers"]).text.contains("of the validation"))
  }
}
