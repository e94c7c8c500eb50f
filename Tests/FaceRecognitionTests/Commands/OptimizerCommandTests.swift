import Foundation
import TestSupport
import Testing

/// AdamW and Muon, through the whole program.
@Suite struct OptimizerCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder

  init() throws {
    faces = try FaceFolder(people: 5, images: 4)
    files = try TemporaryFolder()
  }

  private func train(_ options: [String], output: String, ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(
      [
        "train", "--data", faces.path, "--output", output, "--embedding", "16", "--input-size", "48", "--batch-size",
        "\(12 / ranks)", "--steps", "4", "--no-tensorboard",
      ] + options, ranks: ranks)
  }

  private func losses(_ run: String) throws -> [Double] { try RunMetrics.losses(run) }

  private func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: files[path])) }

  /// Cut off and resumed, with the optimizer and its state from the checkpoint, a run ends as one that was never stopped.
  @Test(arguments: [["--classifier", "replicated"], ["--classifier", "sharded"]], ["adamw", "muon"])
  func trainAndResume(classifier: [String], optimizer: String) throws {
    let options = classifier + ["--optimizer", optimizer, "--beta1", "0.8", "--learning-rate", "0.002"]
    #expect(try train(options, output: files["whole"], ranks: 2).exitCode == 0)
    #expect(try train(options + ["--stop-after", "2"], output: files["cut"], ranks: 2).exitCode == 75)
    #expect(try Subprocess.cosface(["train", "--resume", files["cut"]], ranks: 2).exitCode == 0)
    #expect(try contents("cut/model.safetensors") == contents("whole/model.safetensors"))
    expectRefusal(
      try Subprocess.cosface(["train", "--resume", files["whole"], "--optimizer", "sgd"]), "optimizer", optimizer)
  }

  /// What is not given is said at the start, and stands in the run's files.
  @Test func withoutOptions() throws {
    let outcome = try train([], output: files["run"], ranks: 2)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    #expect(outcome.lines.contains("rate      0.000866 with muon, cosine schedule"), "\(outcome.text)")
    #expect(outcome.text.contains("the logits' scale fixed at 6.0"), "\(outcome.text)")
    let yaml = try String(contentsOfFile: files["run/run.yaml"], encoding: .utf8)
    for line in ["optimizer: muon", "matrix-rate-factor: 4", "weight-decay: 0.05", "logit-scale: 6"] {
      #expect(yaml.contains(line), "\(yaml)")
    }
    let sgd = try train(["--optimizer", "sgd", "--warmup", "2"], output: files["sgd"])
    #expect(sgd.text.contains(" with sgd, after a warm-up of 2 steps, cosine schedule"), "\(sgd.text)")
    expectRefusal(try train(["--momentum", "0.8"], output: files["none"]), "--optimizer sgd")
  }

  /// On other rank counts, whose sums have another order, a network without batch norms goes on but for roundings. Of Adam's
  /// updates these are small where epsilon is as large as the gradients.
  @Test(arguments: ["replicated", "sharded"]) func anotherRankCount(classifier: String) throws {
    let options = [
      "--optimizer", "adamw", "--epsilon", "0.01", "--learning-rate", "0.0005", "--classifier", classifier,
      "--network", "spherenet20",
    ]
    #expect(try train(options, output: files["whole"], ranks: 2).exitCode == 0)
    let whole = try losses(files["whole"])
    for ranks in [1, 3] {
      let run = files["\(ranks)"]
      #expect(try train(options + ["--stop-after", "2"], output: run, ranks: 2).exitCode == 75)
      let outcome = try Subprocess.cosface(["train", "--resume", run], ranks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome.text)")
      let losses = try losses(run)
      #expect(losses.count == 4 && losses[2] != losses[0])
      for (a, b) in zip(losses, whole) { #expect(abs(a - b) < 1e-3 * b, "\(ranks) ranks: \(a), \(b)") }
    }
  }

  @Test func configurationStartsTheSameRun() throws {
    let options = [
      "--optimizer", "adamw", "--epsilon", "0.001", "--weight-decay", "0.1", "--class-weight-decay", "0.1",
    ]
    #expect(try train(options, output: files["one"]).exitCode == 0)
    #expect(
      try Subprocess.cosface(["train", "--config", files["one"] + "/run.yaml", "--output", files["again"]]).exitCode
        == 0)
    #expect(try losses(files["again"]) == losses(files["one"]))
    #expect(try train([], output: files["sgd"]).exitCode == 0)
    #expect(try losses(files["sgd"]) != losses(files["one"]))
    let inspected = try Subprocess.cosface(["inspect", files["one"]])
    #expect(inspected.exitCode == 0, "\(inspected.text)")
  }

  @Test(arguments: [
    (["--optimizer", "adam"], "adam"),
    (["--optimizer", "adamw", "--momentum", "0.8"], "--momentum"),
    (["--optimizer", "adamw", "--nesterov"], "--nesterov"),
    (["--optimizer", "sgd", "--beta1", "0.8"], "--optimizer adamw"),
    (["--optimizer", "muon", "--momentum", "0.8"], "--optimizer sgd"),
    (["--optimizer", "adamw", "--matrix-rate-factor", "2"], "--optimizer muon"),
    (["--matrix-rate-factor", "0"], "a number above 0"),
    (["--nesterov"], "--optimizer sgd"),
    (["--optimizer", "adamw", "--beta2", "1"], "a number from 0 to"),
    (["--optimizer", "adamw", "--epsilon", "0"], "a number"),
  ])
  func refusals(options: [String], words: String) throws {
    let outcome = try train(options, output: files["refused"])
    #expect(outcome.exitCode == 64 && outcome.text.contains(words), "\(outcome.text)")
  }
}
