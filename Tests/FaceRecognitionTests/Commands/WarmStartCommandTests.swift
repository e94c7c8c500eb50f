import Files
import Foundation
import TestSupport
import Testing
import Training
import Weights

/// A run that starts from another's weights, as a person meets it.
@Suite(.serialized) struct WarmStartCommandTests {
  private let old: FaceFolder
  /// The people of `old` and two more.
  private let grown: FaceFolder
  private let runs: String

  init() throws {
    old = try FaceFolder(people: 4, images: 6)
    grown = try FaceFolder(people: 6, images: 6)
    runs = old.path + "-runs"
  }

  private func train(
    _ data: FaceFolder, _ run: String, _ more: [String], ranks: Int = 1, batch: Int = 6,
    network: String = "mobilefacenet"
  ) throws -> Subprocess.Outcome {
    try Subprocess.cosface(
      [
        "train", "--data", data.path, "--output", "\(runs)/\(run)", "--network", network, "--embedding", "32",
        "--input-size", "48", "--batch-size", "\(batch)", "--schedule", "constant", "--optimizer", "sgd",
        "--logit-scale", "16",
      ] + more, ranks: ranks)
  }

  private func rows(_ path: String) throws -> [String: [UInt32]] {
    let file = try SafetensorsFile(path: path)
    let values = try file.floats(of: "classWeight").map(\.bitPattern)
    let names = try ModelFile.description(of: file).classNames
    return Dictionary(
      uniqueKeysWithValues: names.enumerated().map { ($1.text, Array(values[(32 * $0)..<(32 * ($0 + 1))])) })
  }

  private func losses(_ run: String) throws -> [Double] { try RunMetrics.losses("\(runs)/\(run)") }

  @Test func morePeople() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train(old, "first", ["--steps", "80", "--learning-rate", "0.05"], batch: 12).exitCode == 0)
    let before = try rows("\(runs)/first/model.safetensors")
    for ranks in [1, 2] {
      let begun = try train(
        grown, "grown\(ranks)",
        ["--weights", "\(runs)/first", "--steps", "4", "--learning-rate", "0.001", "--stop-after", "0"],
        ranks: ranks, batch: 36 / ranks)
      #expect(begun.exitCode == 75, "\(begun.text)")
      #expect(begun.text.contains("2 new rows of the class weight, from the embeddings of 12 images"), "\(begun.text)")
      let after = try rows("\(runs)/grown\(ranks)/checkpoints/step-00000000/model.safetensors")
      #expect(after.count == 6)
      for (name, bits) in before { #expect(after[name] == bits, "\(name) on \(ranks) ranks") }
    }
    #expect(try Subprocess.cosface(["train", "--resume", "\(runs)/grown1"]).exitCode == 0)
    // The weights are read once: the run goes on without them.
    try FileManager.default.moveItem(atPath: "\(runs)/first", toPath: "\(runs)/moved")
    let resumed = try Subprocess.cosface(
      ["train", "--resume", "\(runs)/grown2", "--weights", "\(runs)/first"], ranks: 2)
    #expect(resumed.exitCode == 0, "\(resumed.text)")
    #expect(resumed.text.contains("resumed   after step 0 of 4") && !resumed.text.contains("new rows"))
    let other = try Subprocess.cosface([
      "train", "--resume", "\(runs)/grown2", "--weights", "\(runs)/moved", "--accept-changes",
    ])
    #expect(other.exitCode == 1 && other.text.contains("weights") && other.text.contains("nothing"), "\(other.text)")

    // A batch of all images: the loss of a few would depend on which.
    let fresh = try train(grown, "fresh", ["--steps", "1", "--learning-rate", "0.001"], batch: 36)
    #expect(fresh.exitCode == 0)
    let (first, fromNothing) = (try losses("grown1")[0], try losses("fresh")[0])
    #expect(first < 0.75 * fromNothing, "Starts at \(first), from nothing at \(fromNothing)")
  }

  /// What is refused leaves no folder behind: the corrected command must not meet it.
  @Test func whatDoesNotFitIsRefused() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train(old, "first", ["--steps", "1"], network: "spherenet20").exitCode == 0)
    let start = ["--steps", "1", "--weights", "\(runs)/first"]
    let other = try train(old, "second", start, ranks: 2)
    #expect(other.exitCode == 1, "\(other.text)")
    #expect(other.text.contains("Give --network spherenet20 --embedding 32 --input-size 48"), "\(other.text)")
    #expect(other.lines.count { $0.hasPrefix("Error: ") } == 1, "\(other.text)")
    let nothing = try train(old, "second", start + ["--allow-missing"])
    #expect(nothing.exitCode == 1 && nothing.text.contains("no tensor of mobilefacenet"), "\(nothing.text)")
    let narrow = try train(old, "second", start + ["--embedding", "16"], network: "spherenet20")
    #expect(narrow.exitCode == 1 && narrow.text.contains("--embedding 32"), "\(narrow.text)")
    let partly = try train(old, "second", start + ["--embedding", "16", "--allow-missing"], network: "spherenet20")
    #expect(partly.exitCode == 0 && partly.text.contains("of another shape or type"), "\(partly.text)")
    #expect(try train(old, "third", ["--steps", "1", "--allow-missing"]).exitCode == 64)
    let absent = try train(old, "third", ["--steps", "1", "--weights", "\(runs)/absent"])
    #expect(absent.exitCode == 1 && absent.text.contains("absent"), "\(absent.text)")
  }

  /// A checkpoint, and a run that has nothing but checkpoints.
  @Test func checkpointsAreWeightsToo() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train(old, "first", ["--steps", "9", "--stop-after", "2"]).exitCode == 75)
    for path in ["first", "first/checkpoints/step-00000002"] {
      let run = "from-\((path as NSString).lastPathComponent)"
      let outcome = try train(old, run, ["--weights", "\(runs)/\(path)", "--steps", "9", "--stop-after", "0"])
      #expect(outcome.exitCode == 75, "\(outcome.text)")
      #expect(
        try rows("\(runs)/\(run)/checkpoints/step-00000000/model.safetensors")
          == rows("\(runs)/first/checkpoints/step-00000002/model.safetensors"))
    }
  }
}
