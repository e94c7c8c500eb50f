import Files
import Foundation
import TestSupport
import Testing
import Training
import Weights

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
        "--input-size", "48", "--batch-size", "4", "--steps", "12", "--optimizer", "sgd", "--learning-rate", "0.02",
        "--augment", "standard",
        "--logit-scale", "16",
      ] + more, ranks: ranks)
  }

  private func resume(_ run: String, _ more: [String] = [], ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(["train", "--resume", "\(runs)/\(run)"] + more, ranks: ranks)
  }

  private func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: "\(runs)/\(path)")) }

  private func losses(_ run: String) throws -> [Double] { try RunMetrics.losses("\(runs)/\(run)") }

  private func samples(_ run: String) throws -> [SampleLine] {
    try String(contentsOfFile: "\(runs)/\(run)/samples.jsonl", encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(SampleLine.self, from: Data($0.utf8))
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
    let slow = ["--learning-rate", "0.001", "--log-samples"]
    let whole = try train("whole", slow + ["--batch-size", "3"], ranks: 4, network: "spherenet20")
    #expect(whole.exitCode == 0, "\(whole.text)")
    let first = try train(
      "parted", slow + ["--batch-size", "3", "--stop-after", "4"], ranks: 4, network: "spherenet20")
    #expect(first.exitCode == 75, "\(first.text)")
    #expect(try resume("parted", ["--stop-after", "4"], ranks: 2).exitCode == 75)
    // The command of the start, as launch.sh --restarts gives it on the hosts that are left.
    let last = try Subprocess.cosface(
      ["train", "--data", faces.path, "--resume-or-start", "\(runs)/parted", "--batch-size", "3"], ranks: 3)
    #expect(last.exitCode == 0 && last.text.contains("4 images a rank, not 3: the run trains on 12"), "\(last.text)")
    for (a, b) in zip(try losses("whole"), try losses("parted")) { #expect(abs(a - b) <= 1e-4 * a) }
    #expect(try losses("parted").count == 12)
    let samples = try [samples("whole"), samples("parted")]
    #expect(samples[0].map(\.images) == samples[1].map(\.images))
    #expect(samples[1].map(\.counts.count) == [4, 4, 4, 4, 2, 2, 2, 2, 3, 3, 3, 3])
    #expect(Set(samples[0].prefix(3).flatMap(\.images)).count == 28, "An epoch is all images")
    let noted = try resume("parted", ["--stop-after", "0"], ranks: 2)
    #expect(noted.text.contains("2 ranks of 1 threads, before 3 of 1"), "\(noted.text)")
    let larger = try resume("parted", ["--batch-size", "3"], ranks: 2)
    #expect(larger.exitCode == 1 && larger.text.contains("is --batch-size 6, not 3"), "\(larger.text)")
    let refused = try resume("parted", ranks: 5)
    #expect(refused.exitCode == 1 && refused.text.contains("Use 1, 2, 3, 4, 6, 12 ranks"), "\(refused.text)")
  }

  /// 520 rows of 512 Floats are more than a bucket of 1 MB: their pieces are another order of sums.
  @Test func otherPiecesOfTheClassWeightAreNoted() throws {
    let many = try FaceFolder(people: 520, images: 1)
    let run = many.path + "-runs/run"
    defer { try? FileManager.default.removeItem(atPath: many.path + "-runs") }
    let first = try Subprocess.cosface(
      [
        "train", "--data", many.path, "--output", run, "--network", "spherenet20", "--embedding", "512",
        "--input-size", "48", "--batch-size", "2", "--steps", "3", "--stop-after", "1",
      ], ranks: 2)
    #expect(first.exitCode == 75, "\(first.text)")
    func resume(_ megabytes: String) throws -> Subprocess.Outcome {
      try Subprocess.cosface(
        ["train", "--resume", run, "--bucket-megabytes", megabytes, "--stop-after", "0"], ranks: 2)
    }
    let larger = try resume("8")
    #expect(larger.exitCode == 75 && !larger.text.contains("rounded in another order"), "\(larger.text)")
    let smaller = try resume("1")
    #expect(smaller.text.contains("note      --bucket-megabytes 1, before "), "\(smaller.text)")
  }

  @Test func otherKernelsAreNoted() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train("run", ["--stop-after", "3"]).exitCode == 75)
    #expect(try !resume("run", ["--stop-after", "1"]).text.contains("computed by"))
    let other = try Subprocess.cosface(
      ["train", "--resume", "\(runs)/run", "--stop-after", "1"], environment: ["OPENBLAS_CORETYPE": "Sandybridge"])
    #expect(other.exitCode == 75, "\(other.text)")
    #expect(
      other.lines.contains {
        $0.contains("note      computed by oneDNN ") && $0.contains(", OpenBLAS Sandybridge, before by oneDNN ")
      }, "\(other.text)")
    let inspected = try Subprocess.cosface(["inspect", "\(runs)/run/checkpoints/step-00000005"])
    let line = inspected.lines.first { $0.hasPrefix("  kernels") }
    #expect(line?.hasSuffix("OpenBLAS Sandybridge") == true, "\(inspected.text)")
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

  @Test func aDamagedLineOfMetricsCostsNoOther() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train("run", ["--stop-after", "5"]).exitCode == 75)
    var bytes = try contents("run/metrics.jsonl")
    let lines = bytes.split(separator: 10)
    bytes[lines[2].startIndex + 12] = 0xFF
    try bytes.write(to: URL(fileURLWithPath: "\(runs)/run/metrics.jsonl"))
    let resumed = try resume("run", ["--stop-after", "1"])
    #expect(resumed.exitCode == 75, "\(resumed.text)")
    #expect(resumed.text.contains("metrics.jsonl: line 3 cannot be read and was left out"), "\(resumed.text)")
    let kept = try contents("run/metrics.jsonl").split(separator: 10)
    #expect(kept.prefix(4) == [lines[0], lines[1], lines[3], lines[4]] && kept.count == 5)
    #expect(try contents("run/metrics.jsonl.damaged") == bytes)
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
    #expect(people.text.contains("nothing") && people.text.contains("--weights \(runs)/run"), "\(people.text)")
    // Nobody can accept another network for these tensors.
    let network = try resume("run", ["--embedding", "64", "--momentum", "0.5", "--accept-changes"])
    #expect(network.exitCode == 1, "\(network.text)")
    #expect(network.lines.contains { $0.contains("embedding") && $0.hasSuffix("nothing") }, "\(network.text)")
    #expect(network.lines.contains { $0.contains("momentum") && $0.hasSuffix("--accept-changes") }, "\(network.text)")
    // The same people with another image.
    try faces.write(FaceFolder.pgm(person: 1, image: 9, side: 48), to: FaceFolder.name(1, 9))
    let images = try resume("run")
    #expect(images.exitCode == 1 && images.lines.contains { $0.contains("images") && $0.hasSuffix("--accept-changes") })
    #expect(try resume("run", ["--stop-after", "1", "--accept-changes"]).exitCode == 75)
    #expect(try resume("run", ["--learning-rate", "0.01", "--accept-changes"]).exitCode == 0)
  }

  @Test func nothingToResume() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let missing = try resume("never")
    #expect(missing.exitCode == 1 && missing.text.contains("no checkpoint"), "\(missing.text)")
    let started = try train("new", ["--resume-or-start", "\(runs)/new", "--stop-after", "2"])
    #expect(started.exitCode == 75, "\(started.text)")
    #expect(started.text.contains("stopped   after step 2 of 12"))
    // Killed before its first checkpoint, a run has files and nothing to lose.
    try FileManager.default.removeItem(atPath: "\(runs)/new/checkpoints")
    try FileManager.default.createDirectory(
      atPath: "\(runs)/new/checkpoints/.step-00000001.1-1.tmp", withIntermediateDirectories: true)
    #expect(try train("new", ["--stop-after", "2"]).text.contains("already holds a run"))
    let again = try train("new", ["--resume-or-start", "\(runs)/new"])
    #expect(again.exitCode == 0 && !again.text.contains("resumed"), "\(again.text)")
    #expect(try losses("new").count == 12)
    #expect(try train("other", ["--resume-or-start", "\(runs)/new"]).exitCode == 64)
    // Nor is a run whose checkpoints are all damaged one to start over.
    try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(runs)/new/checkpoints/step-00000012/state.json"))
    for _ in 1...2 {
      let damaged = try train("new", ["--resume-or-start", "\(runs)/new"])
      #expect(damaged.exitCode == 1 && damaged.text.contains("step-00000012.damaged"), "\(damaged.text)")
    }
  }

  /// Digests that hold over a state that contradicts the tensors, or itself: no accident makes such a checkpoint.
  @Test(arguments: [
    ("\"network\" : \"mobilefacenet\"", "\"network\" : \"iresnet18\"", "contradicts itself"),
    ("\"network\" : \"mobilefacenet\"", "\"network\" : \"resnet\"", "network is 'resnet'"),
    ("\"embedding\" : 32", "\"embedding\" : 64", "contradicts itself"),
    ("\"embedding\" : 32", "\"embedding\" : 33", "embedding is 33"),
    ("\"gradientAccumulation\" : 1", "\"gradientAccumulation\" : 0", "gradientAccumulation is 0"),
    ("\"keep\" : 3", "\"keep\" : \"many\"", "configuration cannot be read"),
    ("\"momentum\" : 0.9", "\"momentum\" : 2.5", "momentum is 2.5"),
  ])
  func aStateThatContradictsItself(text: String, replacement: String, reason: String) throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train("run", ["--stop-after", "1"]).exitCode == 75)
    let folder = "\(runs)/run/checkpoints/step-00000001"
    let state = try String(contentsOfFile: "\(folder)/state.json", encoding: .utf8)
    try #require(state.contains(text), "\(state)")
    let changed = state.replacing(text, with: replacement)
    try Data(changed.utf8).write(to: URL(fileURLWithPath: "\(folder)/state.json"))
    let digests = try String(contentsOfFile: "\(folder)/digests.xxh128", encoding: .utf8)
    let (old, new) = (Data(state.utf8).withUnsafeBytes(Digest.init), Data(changed.utf8).withUnsafeBytes(Digest.init))
    try Data(digests.replacing("\(old)", with: "\(new)").utf8).write(
      to: URL(fileURLWithPath: "\(folder)/digests.xxh128"))
    let refused = try resume("run")
    #expect(refused.exitCode == 1 && refused.text.contains(reason), "\(refused.text)")
    #expect(!refused.text.contains("Fatal error") && !refused.text.contains("crash"), "\(refused.text)")
  }

  /// Not due by its step and not among the newest: made and kept because it is the best.
  @Test func theBestByValidationIsKept() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let validated = ["--holdout-people", "2", "--validate-every", "2", "--checkpoint-every", "100", "--keep", "1"]
    let outcome = try train("run", validated)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let last = try Checkpoint(path: "\(runs)/run/checkpoints/step-00000012")
    let best = try #require(last.state.best)
    let lines = try RunMetrics.lines("\(runs)/run")
    #expect(best.set == "heldOut")
    #expect(best.accuracy == lines.compactMap(\.accuracy).max())
    #expect(lines[best.step - 1].accuracy == best.accuracy)
    let kept = try CheckpointStore(run: "\(runs)/run").folders().compactMap(\.step)
    #expect(kept == Set([best.step, 12]).sorted())
  }

  /// What a batch system sends before the end: the step is finished, saved, and the exit code says so.
  ///
  /// To one rank, to mpirun, which tells the ranks, or to mpirun and the ranks at once, as some batch systems do: mpirun passes it on, so each rank hears it
  /// twice then, and must not take that for a second request.
  @Test(arguments: ["a rank", "mpirun", "everybody"]) func aSignalSavesAndStops(whom: String) throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let kills = [
      "a rank": "kill -USR1 ${ranks[1]}", "mpirun": "kill -USR1 $pid",
      "everybody": "kill -USR1 $pid ${ranks[@]}",
    ]
    let outcome = try background("run", kills[whom]!)
    #expect(outcome.exitCode == 75, "\(outcome.text)")
    #expect(outcome.text.contains("go on with: train --resume"))
    let resumed = try resume("run", ["--stop-after", "1"], ranks: 2)
    #expect(resumed.exitCode == 75 && resumed.text.contains("resumed"), "\(resumed.text)")
  }

  @Test func twoMayNotTrainOneRun() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let program = Subprocess.products.appendingPathComponent("cosface").path
    let outcome = try background(
      "run", "'\(program)' train --resume '\(runs)/run'; kill -TERM ${ranks[0]}", checkpointEvery: 1)
    #expect(outcome.text.contains("is being trained by process "), "\(outcome.text)")
    #expect(outcome.exitCode == 75, "\(outcome.text)")
  }

  /// Of a run that has no checkpoint yet, another start takes nothing away.
  @Test func aRunThatHasOnlyBegunIsNotClearedAway() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let program = Subprocess.products.appendingPathComponent("cosface").path
    let outcome = try background(
      "run",
      "'\(program)' train --data '\(faces.path)' --resume-or-start '\(runs)/run' --embedding 32 --input-size 48 "
        + "--batch-size 8 --steps 100000; kill -TERM ${ranks[0]}")
    #expect(outcome.text.contains("is being trained by process "), "\(outcome.text)")
    #expect(outcome.exitCode == 75, "\(outcome.text)")
    let lines = try String(contentsOfFile: "\(runs)/run/metrics.jsonl", encoding: .utf8).split(separator: "\n")
    #expect(try JSONDecoder().decode(MetricsFile.Line.self, from: Data(try #require(lines.first).utf8)).step == 0)
    #expect(FileManager.default.fileExists(atPath: "\(runs)/run/starts.jsonl"))
  }

  /// Starts a run of two ranks that has no end, waits for its first steps, runs `command` (bash, with $pid of mpirun and
  /// $ranks), and waits for mpirun.
  private func background(_ run: String, _ command: String, checkpointEvery: Int = 1_000_000) throws
    -> Subprocess.Outcome
  {
    let program = Subprocess.products.appendingPathComponent("cosface").path
    let script = """
      mpirun --oversubscribe --bind-to none --timeout 120 -n 2 '\(program)' train --data '\(faces.path)' \
        --output '\(runs)/\(run)' --embedding 32 --input-size 48 --batch-size 4 --steps 100000 --threads 1 \
        --checkpoint-every \(checkpointEvery) & pid=$!
      for i in $(seq 300); do [ -s '\(runs)/\(run)/metrics.jsonl' ] && break; sleep 0.1; done
      for i in $(seq 300); do
        [ \(checkpointEvery) -gt 1 ] || ls -d '\(runs)/\(run)'/checkpoints/step-* >/dev/null 2>&1 && break; sleep 0.1
      done
      ranks=($(pgrep -P $pid))
      \(command)
      wait $pid
      """
    return try Subprocess.run(["bash", "-c", script])
  }

  /// The short form of `scripts/drills/kill.sh`.
  @Test func killedAtAnyMoment() throws {
    let program = Subprocess.products.appendingPathComponent("cosface").path
    let script = Self.drills + "/kill.sh"
    let outcome = try Subprocess.run([script, "2", "3"], environment: ["COSFACE_BINARY": program])
    #expect(outcome.exitCode == 0 && outcome.text.contains("2 of 2 rounds passed"), "\(outcome.text)")
  }

  private static let drills = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../scripts/drills").standardizedFileURL.path

  /// The short form of `scripts/drills/disk-full.sh`, which needs the right to mount: here a limit ends the files.
  @Test func aFileThatCannotBeWritten() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train("whole").exitCode == 0)
    #expect(try train("run", ["--stop-after", "5"]).exitCode == 75)
    let program = Subprocess.products.appendingPathComponent("cosface").path
    let limited = try Subprocess.run(
      ["bash", "-c", "ulimit -f 1000; exec '\(program)' train --resume '\(runs)/run'"],
      environment: ["OMP_NUM_THREADS": "1"])
    #expect(limited.exitCode == 70, "\(limited.exitCode) \(limited.text)")
    #expect(limited.text.contains("Cannot write") && limited.text.contains("ulimit -f"), "\(limited.text)")
    #expect(limited.lines.count { $0.hasPrefix("Error:") } == 1, "\(limited.text)")
    #expect(try CheckpointStore(run: "\(runs)/run").folders().map(\.step) == [5])
    let resumed = try resume("run")
    #expect(resumed.exitCode == 0 && resumed.text.contains("resumed   after step 5 of 12"), "\(resumed.text)")
    #expect(try contents("whole/model.safetensors") == contents("run/model.safetensors"))
  }
}
