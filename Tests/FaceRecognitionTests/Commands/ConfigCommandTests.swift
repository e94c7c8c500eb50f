import Foundation
import TestSupport
import Testing

/// `cosface train --config` as a person meets it, and what else the parser gives.
@Suite(.serialized) struct ConfigCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder

  init() throws {
    faces = try FaceFolder(people: 4, images: 5)
    files = try TemporaryFolder()
  }

  private var basis: String {
    """
    data: \(faces.path)
    network: mobilefacenet
    embedding: 32
    input-size: 48
    batch-size: 4
    epochs: 3
    seed: 3

    """
  }

  private func train(_ yaml: String, _ more: String..., ranks: Int = 1) throws -> Subprocess.Outcome {
    let path = try files.write(Data(yaml.utf8), to: "run.yaml")
    return try Subprocess.cosface(["train", "--config", path] + more, ranks: ranks)
  }

  private func configuration(_ run: String) throws -> [String: String] {
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(files[run])/configuration.json"))
    let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    return try #require(object).mapValues { "\($0)" }
  }

  @Test func theCommandLineWinsAndTheRunCanBeGivenBack() throws {
    let yaml =
      basis + "schedule: step\nmilestones: [1e, 2e]\noptimizer: sgd\nnesterov: true\nlogit-scale: 16\n"
      + "tensorboard: false\n"
    let first = try train(
      yaml, "--output", files["first"], "--steps", "2", "--logit-multiplier=8", "--seed", "5", ranks: 2)
    #expect(first.exitCode == 0, "\(first.text)")
    let options = try configuration("first")
    #expect(options["length"] == "2" && options["seed"] == "5" && options["batchSize"] == "4")
    // What excludes an option of the command line goes.
    #expect(options["logitMultiplier"] == "8" && options["logitScale"] == nil)
    #expect(["1", "true"].contains(options["nesterov"]) && options["schedule"] == "step")
    // On unless a configuration says no; its run.yaml says so, too.
    #expect(["0", "false"].contains(options["tensorboard"]))
    #expect(!FileManager.default.fileExists(atPath: "\(files["first"])/tensorboard"))

    let again = try Subprocess.cosface(
      ["train", "--config", "\(files["first"])/run.yaml", "--output", files["again"]], ranks: 2)
    #expect(again.exitCode == 0, "\(again.text)")
    var (a, b) = (options, try configuration("again"))
    #expect(a.removeValue(forKey: "output") != b.removeValue(forKey: "output"))
    #expect(a == b)
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: "\(files["first"])/model.safetensors"))
        == Data(contentsOf: URL(fileURLWithPath: "\(files["again"])/model.safetensors")))

    let other = try train(yaml, "--output", files["other"], "--steps", "1", "--schedule", "cosine")
    #expect(other.exitCode == 0, "\(other.text)")
    #expect(try configuration("other")["schedule"] == "cosine")
  }

  /// What the file says counts as given: a resumed run refuses what would change it.
  @Test func resumingWithAConfiguration() throws {
    let first = try train(basis, "--output", files["run"], "--steps", "3", "--stop-after", "1")
    #expect(first.exitCode == 75, "\(first.text)")
    expectRefusal(try train("momentum: 0.5\n", "--resume", files["run"]), "momentum")
    let second = try train("momentum: 0.9\nkeep: 2\n", "--resume", files["run"])
    #expect(second.exitCode == 0, "\(second.text)")
  }

  @Test(arguments: [1, 2]) func mistakesAreToldWithTheirLine(ranks: Int) throws {
    func refuse(_ line: String, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
      let outcome = try train(basis + line, "--output", files["run"], ranks: ranks)
      #expect(outcome.exitCode != 0, sourceLocation: sourceLocation)
      for word in words + ["run.yaml, line 8: "] {
        #expect(outcome.text.contains(word), "\(outcome.text)", sourceLocation: sourceLocation)
      }
      #expect(outcome.lines.count { $0.hasPrefix("Error: ") } == 1, "\(outcome.text)", sourceLocation: sourceLocation)
    }
    try refuse("learnig-rate: 0.1\n", "there is no option 'learnig-rate'; did you mean 'learning-rate'?")
    try refuse("weightDecay: 0.1\n", "did you mean 'weight-decay'?")
    try refuse("momentum: fast\n", "'fast' is invalid for '--momentum")
    try refuse("momentum: 1.5\n", "a number from 0 to 0.9999 is needed")
    try refuse("momentum: [0.9]\n", "'momentum' takes one value, not a list")
    try refuse("nesterov: 3\n", "'nesterov' is 3, but true or false is needed")
    try refuse("momentum:\n", "'momentum' has no value")
    try refuse("max-per-person: 3\n", "'max-per-person' is now 'max-images-per-person'")
    try refuse("config: other.yaml\n", "there is no option 'config'")
    try refuse("workers: -1\n", "a whole number from 1 to 1024 is needed")
  }

  @Test func filesThatCannotBeRead() throws {
    expectRefusal(try Subprocess.cosface(["train", "--config", files["none.yaml"]]), "none.yaml", "No such file")
    expectRefusal(try Subprocess.cosface(["train", "--config", files.path]), "Cannot")
    expectRefusal(try train(String(repeating: "# long\n", count: 20_000)), "run.yaml: it has more than 65536 bytes")
  }

  @Test func versionsAndCompletions() throws {
    let version = try Subprocess.cosface(["--version"])
    #expect(version.exitCode == 0)
    for word in ["cosface 0.", "MPI", "OpenBLAS", "oneDNN", "instructions up to"] {
      #expect(version.text.contains(word), "\(version.text)")
    }
    #expect(try Subprocess.cosface(["--version"], ranks: 2).lines.count { $0.hasPrefix("cosface 0.") } == 1)
    for shell in ["bash", "zsh", "fish"] {
      let script = try Subprocess.cosface(["--generate-completion-script", shell])
      #expect(script.exitCode == 0 && script.text.contains("identify") && script.text.contains("learning-rate"))
    }
  }
}
