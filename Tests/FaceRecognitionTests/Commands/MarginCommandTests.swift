import Foundation
import TestSupport
import Testing

/// Kinds of margins, through the whole program.
@Suite struct MarginCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder

  init() throws {
    faces = try FaceFolder(people: 3, images: 4)
    files = try TemporaryFolder()
  }

  private func train(_ options: [String], output: String, ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(
      [
        "train", "--data", faces.path, "--output", output, "--network", "mobilefacenet", "--embedding", "16",
        "--input-size", "48", "--batch-size", "4", "--steps", "4", "--no-tensorboard",
      ] + options, ranks: ranks)
  }

  private func losses(_ run: String) throws -> [Double] { try RunMetrics.losses(run) }

  /// Cut off after two steps and resumed, with the kind from the checkpoint, a run ends as one that was never stopped; its
  /// configuration starts the same one again.
  @Test(arguments: [
    ["--margin-kind", "angular", "--margin", "0.4"],
    ["--margin-kind", "combined", "--margin-multiplier", "1.1", "--margin-angle", "0.2", "--margin", "0.1"],
  ])
  func trainAndResume(options: [String]) throws {
    let (whole, cut, again) = (files["whole"], files["cut"], files["again"])
    #expect(try train(options, output: whole).exitCode == 0)
    #expect(try train(options + ["--stop-after", "2"], output: cut).exitCode == 75)
    #expect(try Subprocess.cosface(["train", "--resume", cut]).exitCode == 0)
    let model = try Data(contentsOf: URL(fileURLWithPath: whole + "/model.safetensors"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: cut + "/model.safetensors")) == model)
    #expect(
      try Subprocess.cosface(["train", "--config", whole + "/run.yaml", "--output", again]).exitCode == 0)
    #expect(try losses(again) == losses(whole))
    #expect(try train([], output: files["cosine"]).exitCode == 0)
    #expect(try losses(files["cosine"]) != losses(whole))
    expectRefusal(
      try Subprocess.cosface(["train", "--resume", cut, "--margin-kind", "cosine"]), "marginKind", "cosine")
  }

  @Test(arguments: [
    (["--margin-kind", "arc"], "arc"),
    (["--margin-angle", "0.3"], "--margin-kind combined"),
    (["--margin-kind", "angular", "--margin-multiplier", "1.2"], "--margin-kind combined"),
    (["--margin-kind", "angular", "--allow-large-margin"], "leave it out"),
    (["--margin-kind", "combined", "--margin", "0.2"], "--margin-multiplier or --margin-angle"),
    (["--margin-kind", "combined", "--margin-angle", "0.2", "--margin", "0.6"], "--allow-large-margin"),
    (["--margin-kind", "combined", "--margin-multiplier", "0.5"], "a number from 1 to 4 is needed"),
    (["--margin-kind", "angular", "--margin", "1.5"], "a number from 0 to 1 is needed"),
  ])
  func refusals(options: [String], words: String) throws {
    let outcome = try train(options, output: files["refused"])
    #expect(outcome.exitCode == 64 && outcome.text.contains(words), "\(outcome.text)")
  }
}
