import Datasets
import Evaluation
import Files
import Foundation
import NeuralNetwork
import TestSupport
import Testing
import Weights

/// `cosface evaluate` as a person meets it.
@Suite(.serialized) struct EvaluateCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder
  private let model: String

  /// A network of random weights, which tells the made-up people apart a little.
  init() throws {
    faces = try FaceFolder(people: 6, images: 4)
    files = try TemporaryFolder()
    model = files["model.safetensors"]
    try Self.writeModel(to: model, seed: 4, classNames: ["p01", "p02"])
  }

  private static func writeModel(to path: String, seed: UInt64?, classNames: [Name] = []) throws {
    let network = NetworkKind.spherenet20.makeNetwork(embeddingWidth: 32, inputSide: 48)
    if let seed { network.initialize(seed: seed) }
    let description = ModelDescription(
      network: .spherenet20, embeddingWidth: 32, inputSide: 48, classNames: classNames, step: 7)
    try ModelFile.write(network, classWeight: nil, description, to: path)
  }

  private func evaluate(_ arguments: String..., model: String? = nil, data: String? = nil, ranks: Int = 1) throws
    -> Subprocess.Outcome
  {
    try Subprocess.cosface(
      ["evaluate", "--model", model ?? self.model, "--data", data ?? faces.path] + arguments, ranks: ranks)
  }

  /// The JSON object, without the warning of trained people that stands before it.
  private func report(_ outcome: Subprocess.Outcome) throws -> EvaluationReport {
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let json = outcome.lines.drop { $0 != "{" }.joined(separator: "\n")
    return try JSONDecoder().decode(EvaluationReport.self, from: Data(json.utf8))
  }

  @Test func tableForPeople() throws {
    let outcome = try evaluate("--raw-pixels")
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let expected = [
      "Warning: 2 of the 6 people bear names",
      "model       \(model): spherenet20, embedding 32, input 48, 7 steps",
      "data        \(faces.path): 24 images of 6 people; all pairs", "36 of the same person, 240 of different people",
      "accuracy, in-sample", "precision", "recall", "accuracy, 10-fold", "AUC", "EER", "TAR at FAR 1e-2",
      "network  raw pixels",
    ]
    for words in expected { #expect(outcome.text.contains(words), "'\(words)' is not in\n\(outcome.text)") }
  }

  @Test func sameBytesOnAnyNumberOfRanks() throws {
    let files = (1...3).map { self.files["scores\($0).csv"] }
    let outcomes = try (1...3).map { ranks in
      try evaluate("--json", "--raw-pixels", "--batch-size", "5", "--output", files[ranks - 1], ranks: ranks)
    }
    let report = try report(outcomes[0])
    #expect(report.images == 24 && report.people == 6 && report.trainedSteps == 7 && report.flip == .sum)
    #expect(report.verification.sameCount == 36 && report.verification.differentCount == 240)
    #expect(report.rawPixels?.sameCount == 36)
    let scores = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }
    for index in 1..<3 {
      #expect(outcomes[index].text == outcomes[0].text)
      #expect(scores[index] == scores[0])
    }
    let lines = scores[0].split(separator: "\n").map { $0.split(separator: ",") }
    #expect(lines[0] == ["first", "second", "same", "fold", "cosine", "rawPixels"] && lines.count == 1 + 276)
    #expect(lines[1][0] == "p00/00.pgm" && lines[1][1] == "p00/01.pgm" && lines[1][2] == "1")
    // The figures are those of the scores in the file.
    let again = try VerificationReport(
      scores: lines.dropFirst().map { Double($0[4])! }, same: lines.dropFirst().map { $0[2] == "1" })
    #expect(again == report.verification)
    // So are the folds: assigned ones too.
    let prescribed = try VerificationReport(
      scores: lines.dropFirst().map { Double($0[4])! }, same: lines.dropFirst().map { $0[2] == "1" },
      folds: lines.dropFirst().map { Int($0[3])! })
    #expect(prescribed.crossValidation?.accuracies == report.verification.crossValidation?.accuracies)
    #expect(Set(lines.dropFirst().map { $0[3] }).count == 10)
  }

  /// Eight copies of one picture as two people: nobody can tell them apart, and no score may pretend to.
  @Test(arguments: [NetworkKind.mobilefacenet, .iresnet18]) func equalPicturesTie(_ kind: NetworkKind) throws {
    let copies = try FaceFolder(people: 0, images: 0)
    for person in 0..<2 {
      for image in 0..<4 {
        try copies.write(FaceFolder.pgm(person: 0, image: 0, side: 48), to: FaceFolder.name(person, image))
      }
    }
    let model = files["random.safetensors"]
    try RandomModel.write(kind, to: model)
    var scores: Set<String> = []
    for (batch, ranks, threads) in [(1, 1, 1), (3, 1, 2), (7, 2, 1), (3, 3, 1), (32, 1, 2)] {
      let csv = files["ties.csv"]
      let report = try report(
        evaluate(
          "--json", "--batch-size", "\(batch)", "--threads", "\(threads)", "--output", csv, model: model,
          data: copies.path, ranks: ranks))
      #expect(report.verification.areaUnderCurve == 0.5, "batch \(batch), \(ranks) ranks, \(threads) threads")
      for line in try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n").dropFirst() {
        scores.insert(String(line.split(separator: ",")[4]))
      }
    }
    #expect(scores.count == 1, "\(scores)")
  }

  @Test func optionsChangeWhatTheySay() throws {
    let all = try report(evaluate("--json"))
    #expect(all.rawPixels == nil && all.selection == "all pairs")
    let plain = try report(evaluate("--json", "--flip", "none"))
    #expect(plain.flip == .none && plain.verification.sameScores != all.verification.sameScores)
    let joined = try report(evaluate("--json", "--flip", "concatenate"))
    #expect(joined.flip == .concatenate && joined.embeddingNorms == plain.embeddingNorms)
    #expect(![all, plain].map(\.verification.sameScores).contains(joined.verification.sameScores))
    let sample = try report(evaluate("--json", "--max-pairs", "20", "--seed", "5"))
    #expect(sample.verification.sameCount == 10 && sample.verification.differentCount == 10)
    #expect(sample.selection == "a balanced sample of pairs by seed 5")
    let other = try report(evaluate("--json", "--max-pairs", "20", "--seed", "6"))
    #expect(other.verification.differentScores != sample.verification.differentScores)
    let threads = try report(evaluate("--json", "--threads", "2", "--workers", "3"))
    #expect(abs(threads.verification.sameScores.mean - all.verification.sameScores.mean) < 1e-5)

    let heldOut = try report(evaluate("--json", "--holdout-people", "3", "--seed", "2", "--output", files["held.csv"]))
    #expect(heldOut.people == 3 && heldOut.images == 12)
    let split = try ImageFolder(root: faces.path).split(holdoutPeople: 3, seed: 2).heldOut
    let csv = try String(contentsOfFile: files["held.csv"], encoding: .utf8)
    #expect(split.classNames.allSatisfy { csv.contains("\($0)/") })
    #expect(Set(csv.split(separator: "\n").dropFirst().map { Name($0.prefix(3)) }).isSubset(of: split.classNames))
  }

  @Test func listsOfPairs() throws {
    let lines = ["p00/00.pgm p00/01.pgm 1", "p00/00.pgm p03/00.pgm 0", "\(faces.path)/p04/01.pgm,p05/02.pgm,0"]
    let plain = try files.write(Data(lines.joined(separator: "\n").utf8), to: "list.txt")
    let outcome = try evaluate("--json", "--pairs", plain)
    let listed = try report(outcome)
    #expect(listed.images == 5 && listed.people == nil && listed.selection == "pairs of \(plain)")
    #expect(listed.verification.sameCount == 1 && listed.verification.differentCount == 2)
    #expect(outcome.lines.first == "{", "A list of pairs says nothing of trained people")

    // LFW's names and folds.
    let lfw = try FaceFolder(people: 0, images: 0)
    for (person, name) in ["Ann", "Bo"].enumerated() {
      for image in 1...4 {
        try lfw.write(FaceFolder.pgm(person: person, image: image, side: 48), to: "\(name)/\(name)_000\(image).pgm")
      }
    }
    let folds = try files.write(Data("2 1\nAnn 1 2\nAnn 1 Bo 1\nBo 3 4\nAnn 3 Bo 4\n".utf8), to: "pairs.txt")
    let prescribed = try report(evaluate("--json", "--pairs", folds, data: lfw.path, ranks: 2))
    #expect(prescribed.verification.crossValidation?.accuracies.count == 2)
    #expect(prescribed.verification.crossValidation?.prescribed == true && prescribed.images == 6)
  }

  /// A state dict that does not say of which network it is.
  @Test func weightsOfAnotherProgram() throws {
    let network = NetworkKind.spherenet20.makeNetwork(embeddingWidth: 32, inputSide: 48)
    network.initialize(seed: 4)
    var writer = SafetensorsWriter(metadata: ["format": "pt"])
    for entry in ModelFile.entries(of: network, classWeight: nil) {
      guard let parameter = entry.parameter else { continue }
      writer.add(entry.name, shape: parameter.shape, UnsafeBufferPointer(parameter.value))
    }
    let path = files["state-dict.safetensors"]
    try writer.write(to: path)
    let own = try report(evaluate("--json"))
    let theirs = try report(evaluate("--json", model: path))
    #expect(theirs.verification == own.verification && theirs.network == "spherenet20")
    #expect(try evaluate("--network", "spherenet20", "--embedding", "32", model: path).exitCode == 0)
    for model in [path, self.model] {
      expectRefusal(
        try evaluate("--network", "iresnet18", model: model), "is of spherenet20, embedding 32, input 48",
        "--network iresnet18")
      expectRefusal(try evaluate("--embedding", "64", model: model), "--embedding 64")
    }
  }

  /// Absent images up to the limit are named with the unreadable ones, and their pairs left out.
  @Test func absentImagesOfAList() throws {
    let lines = ["\u{FEFF}p00/00.pgm p00/01.pgm 1", "p00/00.pgm p00/99.pgm 1", "p00/00.pgm p03/00.pgm 0"]
    let list = try files.write(Data(lines.joined(separator: "\r\n").utf8), to: "list.txt")
    let report = try report(evaluate("--json", "--pairs", list, "--max-bad-images", "0.3", ranks: 2))
    #expect(report.badImages.map(\.identifier) == ["p00/99.pgm"])
    #expect(report.verification.sameCount == 1 && report.verification.differentCount == 1)
  }

  /// Every point of the curve, whose figures are the report's.
  @Test func curveForADrawing() throws {
    let report = try report(evaluate("--json", "--roc", files["roc.csv"], "--output", files["scores.csv"]))
    let lines = try String(contentsOfFile: files["roc.csv"], encoding: .utf8).split(separator: "\n")
    #expect(lines[0] == "threshold,falseAcceptRate,trueAcceptRate")
    let points = lines.dropFirst().map { $0.split(separator: ",").map { Double($0)! } }
    #expect(points.first?[1...] == [0, 0] && points.last?[1...] == [1, 1])
    let area = zip(points, points.dropFirst()).reduce(0) { $0 + ($1.1[1] - $1.0[1]) * ($1.1[2] + $1.0[2]) / 2 }
    #expect(abs(area - report.verification.areaUnderCurve) < 1e-12)
    // The scores' own, pair by pair.
    let rows = try String(contentsOfFile: files["scores.csv"], encoding: .utf8).split(separator: "\n").dropFirst()
    let scores = rows.map { $0.split(separator: ",") }.map { (Double($0[4])!, $0[2] == "1") }
    for point in points.dropFirst() {
      let accepted = scores.filter { $0.0 >= point[0] }
      #expect(Double(accepted.count { !$0.1 }) / 240 == point[1] && Double(accepted.count(where: \.1)) / 36 == point[2])
    }
  }

  /// Two templates a person: of one image each they are pairs of images.
  @Test func templates() throws {
    func name(_ person: Int, _ image: Int) -> String { FaceFolder.name(person, image) }
    let images = (0..<6).flatMap { person in (0..<2).map { (person, $0) } }
    let single = images.map { "\($0)-\($1) s\($0) 1 \(name($0, $1))" }.joined(separator: "\n")
    let double = images.map { "\($0)-\($1) s\($0) 1 \(name($0, $1))\n\($0)-\($1) s\($0) 2 \(name($0, $1 + 2))" }
    var pairs: [String] = []
    for (place, first) in images.enumerated() {
      for second in images[(place + 1)...] { pairs.append("\(first.0)-\(first.1) \(second.0)-\(second.1)") }
    }
    let list = try files.write(Data(pairs.joined(separator: "\n").utf8), to: "pairs.txt")
    let one = try files.write(Data(single.utf8), to: "single.txt")
    let two = try files.write(Data(double.joined(separator: "\n").utf8), to: "double.txt")
    let byImage = try files.write(
      Data(
        pairs.map { line in
          let ends = line.split(separator: " ").map { $0.split(separator: "-").map { Int($0)! } }
          return "\(name(ends[0][0], ends[0][1])) \(name(ends[1][0], ends[1][1])) \(ends[0][0] == ends[1][0] ? 1 : 0)"
        }.joined(separator: "\n").utf8), to: "images.txt")
    let singles = try report(evaluate("--json", "--pairs", list, "--templates", one))
    let plain = try report(evaluate("--json", "--pairs", byImage))
    #expect(singles.templates == 12 && singles.images == 12 && singles.verification.sameCount == 6)
    #expect(abs(singles.verification.sameScores.mean - plain.verification.sameScores.mean) < 1e-6)

    let outcomes = try (1...3).map { ranks in
      try evaluate("--json", "--pairs", list, "--templates", two, "--output", files["scores\(ranks).csv"], ranks: ranks)
    }
    let doubles = try report(outcomes[0])
    #expect(doubles.images == 24 && doubles.templates == 12 && doubles.embeddingNorms.count == 24)
    #expect(doubles.verification.sameScores.mean > singles.verification.sameScores.mean)
    let scores = try (1...3).map { try String(contentsOfFile: files["scores\($0).csv"], encoding: .utf8) }
    for index in 1..<3 { #expect(outcomes[index].text == outcomes[0].text && scores[index] == scores[0]) }
    #expect(scores[0].split(separator: "\n")[1].hasPrefix("0-0,0-1,1,,"))
    #expect(try evaluate("--pairs", list, "--templates", two).text.contains("24 images in 12 templates"))
  }

  @Test func aRunsFolderIsAModel() throws {
    try files.write(Data(contentsOf: URL(fileURLWithPath: model)), to: "run/model.safetensors")
    let outcome = try evaluate(model: files["run"])
    #expect(outcome.exitCode == 0 && outcome.text.contains("model       \(files["run"]): spherenet20"))
  }

  @Test func badImagesUpToTheLimit() throws {
    try faces.write(Data("P5\n48 48\n255\nshort".utf8), to: FaceFolder.name(3, 2))
    for ranks in [1, 3] {
      expectRefusal(try evaluate(ranks: ranks), "p03/02.pgm: ", "1 of 24 images cannot be read", "0 may be unreadable")
    }
    let outcome = try evaluate("--json", "--max-bad-images", "0.05", ranks: 2)
    let report = try report(outcome)
    #expect(report.badImages.map(\.identifier) == ["p03/02.pgm"] && report.verification.sameCount == 33)
    let table = try evaluate("--max-bad-images", "0.05")
    #expect(table.text.contains("p03/02.pgm: "))
  }

  @Test(arguments: [1, 2]) func refusals(ranks: Int) throws {
    expectRefusal(try evaluate(model: files["absent"], ranks: ranks), "absent", "No such file")
    let empty = try files.write(to: "empty/.keep")
    expectRefusal(
      try evaluate(model: (empty as NSString).deletingLastPathComponent, ranks: ranks), "without a model.safetensors")
    let damaged = try files.write(Data([1, 2, 3]), to: "three.safetensors")
    expectRefusal(try evaluate(model: damaged, ranks: ranks), "three.safetensors")
    expectRefusal(try evaluate(data: files["nowhere"], ranks: ranks), "nowhere")
    expectRefusal(try evaluate("--pairs", files["no-list.txt"], ranks: ranks), "no-list.txt")
    let pairs = try files.write(Data("p00/00.pgm p00/99.pgm 1\n".utf8), to: "wrong.txt")
    expectRefusal(try evaluate("--pairs", pairs, ranks: ranks), "wrong.txt", "1 of 2 images", "line 1", "p00/99.pgm")
    let templates = try files.write(Data("1 a 1 p00/00.pgm\n2 b 1 p00/99.pgm\n".utf8), to: "templates.txt")
    let ids = try files.write(Data("1 1\n1 2\n".utf8), to: "ids.txt")
    expectRefusal(
      try evaluate("--pairs", ids, "--templates", templates, ranks: ranks), "p00/99.pgm", "No such file", "0 may be")
    expectRefusal(try evaluate("--pairs", templates, "--templates", ids, ranks: ranks), "ids.txt", "line 1", "2 fields")
    let oneKind = try files.write(Data("p00/00.pgm p00/01.pgm 1\n".utf8), to: "one-kind.txt")
    expectRefusal(try evaluate("--pairs", oneKind, ranks: ranks), "one-kind.txt", "there are 1 and 0")
    expectRefusal(try evaluate("--holdout-people", "5", ranks: ranks), "holding out 5 of 6 people")

    let zeros = files["zeros.safetensors"]
    try Self.writeModel(to: zeros, seed: nil)
    expectRefusal(try evaluate(model: zeros, ranks: ranks), "The embedding of 'p00/00.pgm' is all zeros")
    let single = try FaceFolder(people: 3, images: 1)
    expectRefusal(try evaluate(data: single.path, ranks: ranks), "two images of one of them")
    expectRefusal(try evaluate("--output", files["no/such/folder.csv"], ranks: ranks), "no/such")
  }

  @Test func wrongOptions() throws {
    expectRefusal(try evaluate("--pairs", "x", "--holdout-people", "2"), "exclude each other")
    expectRefusal(try evaluate("--batch-size", "0"), "--batch-size", "from 1 to 65536")
    expectRefusal(try evaluate("--max-bad-images", "2"), "--max-bad-images", "from 0 to 1")
    expectRefusal(try evaluate("--max-pairs", "1"), "--max-pairs", "from 2 to")
    expectRefusal(try evaluate("--treads", "1"), "--treads")
    expectRefusal(try evaluate("--flip", "both"), "--flip")
    expectRefusal(try evaluate("--templates", "x"), "--pairs")
    expectRefusal(try evaluate("--probes", "x", "--gallery", "y"), "not both")
    expectRefusal(try evaluate("--distractors", "y"), "--probes")
  }
}
