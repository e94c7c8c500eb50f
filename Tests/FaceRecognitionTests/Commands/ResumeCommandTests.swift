import Foundation
import TestSupport
import Testing

/// A run that was stopped and goes on is the run that was never stopped.
@Suite(.serialized) struct ResumeCommandTests {
  private let faces: FaceFolder
  private let runs: String

  init() throws {
    faces = try FaceFolder(people: 4, images: 7)
    runs = faces.path + "-runs"
  }

  private func train(_ run: String, _ more: [String] = [], ranks: Int = 1, network: String = "mobilefacenet") throws
    -> Subprocess.Outcome
  {
    try Subprocess.cosface(
      [
        "train", "--data", faces.path, "--output", "\(runs)/\(run)", "--network", network, "--embedding", "32",
        "--input-size", "48", "--batch-size", "4", "--steps", "12", "--learning-rate", "0.02", "--augment", "standard",
        "--logit-scale", "16",
      ] + more, ranks: ranks)
  }

  private func resume(_ run: String, _ more: [String] = [], ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(["train", "--resume", "\(runs)/\(run)"] + more, ranks: ranks)
  }

  private func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: "\(runs)/\(path)")) }

  private func losses(_ run: String) throws -> [Double] {
    try String(contentsOfFile: "\(runs)/\(run)/metrics.jsonl", encoding: .utf8).split(separator: "\n").map {
      let object = try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      return try #require(object["loss"] as? Double)
    }
  }

  /// Stopped in the middle of an epoch, with augmentation.
  @Test(arguments: [1, 2, 3]) func theSameBytes(ranks: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train("whole", ranks: ranks).exitCode == 0)
    let stopped = try train("parted", ["--stop-after", "5"], ranks: ranks)
    #expect(stopped.exitCode == 75, "\(stopped.text)")
    let resumed = try resume("parted", ranks: ranks)
    #expect(resumed.exitCode == 0, "\(resumed.text)")
    #expect(resumed.text.contains("resumed   after step 5 of 12"))
    for file in ["model.safetensors", "checkpoints/step-00000012/optimizer.safetensors"] {
      #expect(try contents("whole/\(file)") == contents("parted/\(file)"), "\(file)")
    }
    #expect(try losses("whole") == losses("parted"))
  }

  /// spherenet20 has no batch normalization, so nothing depends on how the global batch of 12 is divided.
  @Test func anotherRankCount() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let slow = ["--learning-rate", "0.001"]
    let whole = try train("whole", slow + ["--batch-size", "3"], ranks: 4, network: "spherenet20")
    #expect(whole.exitCode == 0, "\(whole.text)")
    let first = try train(
      "parted", slow + ["--batch-size", "3", "--stop-after", "4"], ranks: 4, network: "spherenet20")
    #expect(first.exitCode == 75, "\(first.text)")
    #expect(try resume("parted", ["--stop-after", "4"], ranks: 2).exitCode == 75)
    #expect(try resume("parted", ranks: 3).exitCode == 0)
    for (a, b) in zip(try losses("whole"), try losses("parted")) { #expect(abs(a - b) <= 1e-4 * a) }
    #expect(try losses("parted").count == 12)
    let refused = try resume("parted", ranks: 5)
    #expect(refused.exitCode == 1 && refused.text.contains("Use 1, 2, 3, 4, 6, 12 ranks"), "\(refused.text)")
  }

  @Test func aDamagedCheckpointIsSetAsideAndTheOneBeforeTaken() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train("whole").exitCode == 0)
    #expect(try train("parted", ["--checkpoint-every", "3", "--stop-after", "8"]).exitCode == 75)
    let path = "parted/checkpoints/step-00000008/optimizer.safetensors"
    var bytes = try contents(path)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(fileURLWithPath: "\(runs)/\(path)"))
    let resumed = try resume("parted")
    #expect(resumed.exitCode == 0, "\(resumed.text)")
    #expect(resumed.text.contains("step-00000008.damaged") && resumed.text.contains("resumed   after step 6 of 12"))
    #expect(try contents("whole/model.safetensors") == contents("parted/model.safetensors"))
  }

  @Test func whatDiffersIsRefusedInATable() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train("run", ["--stop-after", "3"]).exitCode == 75)
    let refused = try resume("run", ["--learning-rate", "0.5", "--margin", "0.2"])
    #expect(refused.exitCode == 1)
    for word in ["learningRate", "0.02", "0.5", "margin", "0.35", "0.2", "--accept-changes"] {
      #expect(refused.text.contains(word), "\(refused.text)")
    }
    let other = try FaceFolder(people: 5, images: 7)
    let people = try resume("run", ["--data", other.path])
    #expect(people.exitCode == 1 && people.text.contains("people") && people.text.contains("images"), "\(people.text)")
    #expect(try resume("run", ["--learning-rate", "0.01", "--accept-changes"]).exitCode == 0)
  }

  @Test func nothingToResume() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let missing = try resume("never")
    #expect(missing.exitCode == 1 && missing.text.contains("no checkpoint"), "\(missing.text)")
    let started = try train("new", ["--resume-or-start", "\(runs)/new", "--stop-after", "2"])
    #expect(started.exitCode == 75, "\(started.text)")
    #expect(started.text.contains("stopped   after step 2 of 12"))
  }

  /// What a batch system sends before the end: the step is finished, saved, and the exit code says so.
  @Test func aSignalSavesAndStops() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let program = Subprocess.products.appendingPathComponent("cosface").path
    let command =
      "'\(program)' train --data '\(faces.path)' --output '\(runs)/run' --embedding 32 --input-size 48 --batch-size 4 "
      + "--steps 100000 --threads 1 & pid=$!; "
      + "for i in $(seq 200); do [ -s '\(runs)/run/metrics.jsonl' ] && break; sleep 0.1; done; kill -USR1 $pid; "
      // A run that does not hear the signal must not outlive the test.
      + "for i in $(seq 300); do kill -0 $pid 2>/dev/null || break; sleep 0.1; done; kill -9 $pid 2>/dev/null; wait $pid"
    let outcome = try Subprocess.run(["bash", "-c", command])
    #expect(outcome.exitCode == 75, "\(outcome.text)")
    #expect(outcome.text.contains("go on with: train --resume"))
    let resumed = try resume("run", ["--stop-after", "1"])
    #expect(resumed.exitCode == 75 && resumed.text.contains("resumed"), "\(resumed.text)")
  }
}
