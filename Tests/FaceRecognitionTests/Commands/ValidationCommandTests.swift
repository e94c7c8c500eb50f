import Datasets
import Evaluation
import Foundation
import Inference
import TestSupport
import Testing
import Training
import Weights

/// Validation by several sets while training: what `evaluate` says, the best model, the end for want of anything better.
@Suite(.serialized) struct ValidationCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder

  init() throws {
    faces = try FaceFolder(people: 3, images: 5)
    files = try TemporaryFolder()
    for person in 3..<6 {
      for image in 0..<6 {
        let name = FaceFolder.name(person, image)
        try files.write(FaceFolder.pgm(person: person, image: image, side: 48), to: "others/\(name)")
      }
    }
    let source = try ImageFolder(root: files["others"])
    let pairs = PairBinFixture.pairs(of: source, count: 40)
    let lines = pairs.map {
      "\(source.identifier(of: $0.first)) \(source.identifier(of: $0.second)) \($0.same ? 1 : 0)"
    }
    try files.write(Data(lines.joined(separator: "\n").utf8), to: "pairs.txt")
    try files.write(Data(PairBinFixture.bytes(of: source, pairs)), to: "binned.bin")
  }

  private func train(_ run: String, _ more: [String], ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(
      [
        "train", "--data", faces.path, "--output", files[run], "--network", "mobilefacenet", "--embedding", "32",
        "--input-size", "32", "--batch-size", "4", "--optimizer", "sgd", "--seed", "1", "--no-tensorboard",
      ] + more, ranks: ranks)
  }

  private var sets: [String] {
    [
      "--validation", files["pairs.txt"], files["others"], files["binned.bin"], "--validation-images", files["others"],
    ]
  }

  private func evaluate(_ model: String, _ set: String) throws -> VerificationReport {
    let data: [String: [String]] = [
      "pairs": ["--data", files["others"], "--pairs", files["pairs.txt"]], "others": ["--data", files["others"]],
      "binned": ["--data", files["binned.bin"]],
    ]
    let outcome = try Subprocess.cosface(["evaluate", "--json", "--model", model] + (try #require(data[set])))
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    return try JSONDecoder().decode(EvaluationReport.self, from: Data(outcome.text.utf8)).verification
  }

  /// To the last digit: of the model at the end, and of the best one.
  @Test(arguments: [1, 3]) func figuresAreThoseOfEvaluate(ranks: Int) throws {
    let outcome = try train(
      "run", sets + ["--steps", "6", "--validate-every", "2", "--best-by", "others", "--learning-rate", "0.05"],
      ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let lines = try RunMetrics.lines(files["run"])
    #expect(lines.map { $0.validations?.map(\.set) ?? [] } == [[], names, [], names, [], names])
    let best = try #require(
      lines.filter { $0.accuracy != nil }.max { ($0.accuracy!, $1.step) < ($1.accuracy!, $0.step) })
    let described = try ModelFile.open(files["run/best.safetensors"]).description
    #expect(described.step == best.step + 1)
    for (model, line) in [("run", lines[5]), ("run/best.safetensors", best)] {
      for validation in try #require(line.validations) {
        let report = try evaluate(files[model], validation.set)
        #expect(validation.accuracy == report.best.accuracy, "\(model), \(validation.set)")
        #expect(validation.crossValidatedAccuracy == report.crossValidation?.mean, "\(model), \(validation.set)")
        #expect(validation.areaUnderCurve == report.areaUnderCurve, "\(model), \(validation.set)")
      }
    }
    // Each model has the threshold of the set that chooses.
    for (model, name) in [("run", "threshold.json"), ("run/best.safetensors", "best.threshold.json")] {
      let kept = try #require(FileManager.default.contents(atPath: files["run/\(name)"]))
      let threshold = try JSONDecoder().decode(VerificationThreshold.self, from: kept).threshold
      #expect(try threshold == evaluate(files[model], "others").best.threshold, "\(model)")
    }
  }

  private let names = ["others", "pairs", "binned"]

  /// A learning rate of nearly nothing: nothing gets better, and the run ends; also where it was cut in between.
  @Test func patienceEndsARun() throws {
    let options = sets + ["--steps", "30", "--validate-every", "1", "--patience", "3", "--learning-rate", "1e-30"]
    let whole = try train("whole", options)
    #expect(whole.exitCode == 0, "\(whole.text)")
    let last = try #require(RunMetrics.lines(files["whole"]).last?.step)
    #expect(last >= 3 && last < 29)
    #expect(whole.text.contains("ended     after step \(last + 1) of 30: 3 validations in a row"), "\(whole.text)")
    #expect(try ModelFile.open(files["whole"]).description.step == last + 1)
    let cut = try train("cut", options + ["--stop-after", "\(last - 1)"])
    #expect(cut.exitCode == 75, "\(cut.text)")
    let resumed = try Subprocess.cosface(["train", "--resume", files["cut"]])
    #expect(resumed.exitCode == 0 && resumed.text.contains("3 validations in a row"), "\(resumed.text)")
    #expect(
      try RunMetrics.lines(files["cut"]).map(\.validations) == RunMetrics.lines(files["whole"]).map(\.validations))
    let models = try ["cut", "whole"].map {
      try Data(contentsOf: URL(fileURLWithPath: files["\($0)/model.safetensors"]))
    }
    #expect(models[0] == models[1])
    // It has ended: going on with it changes nothing; more patience lets it train on.
    let again = try Subprocess.cosface(["train", "--resume", files["cut"]])
    #expect(again.exitCode == 0 && again.text.contains("ended     after step \(last + 1)"), "\(again.text)")
    let patient = try Subprocess.cosface(
      ["train", "--resume", files["cut"], "--patience", "4", "--validate-every", "1"])
    #expect(patient.exitCode == 0, "\(patient.text)")
    #expect(try RunMetrics.lines(files["cut"]).count == last + 2)
  }

  /// Names say nothing: two images of the training stand among the others under names of other people.
  @Test(arguments: [1, 2]) func sameBytesUnderOtherNamesAreTold(ranks: Int) throws {
    for (person, image) in [(0, 0), (1, 2)] {
      try files.write(FaceFolder.pgm(person: person, image: image, side: 48), to: "mixed/q\(person)/copy.pgm")
      try files.write(FaceFolder.pgm(person: 7 + person, image: 1, side: 48), to: "mixed/q\(person)/other.pgm")
    }
    let options = ["--validation", files["mixed"], files["others"], "--epochs", "2", "--learning-rate", "0.05"]
    let outcome = try train("mixed-run", options, ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let told = outcome.lines.filter { $0.hasPrefix("warning") }
    #expect(told.count == 1, "\(outcome.text)")
    #expect(
      told.first?.contains(
        "2 images of the validation 'mixed' are the same bytes as images in --data (p00/00.pgm, p01/02.pgm)") == true,
      "\(told)")
  }
}
