import Files
import Foundation
import TestSupport
import Testing

/// Runs whose class weight is divided among the ranks, and their checkpoints.
@Suite(.serialized) struct ShardedCommandTests {
  private let faces: FaceFolder
  private let runs: String

  init() throws {
    faces = try FaceFolder(people: 7, images: 4)
    runs = faces.path + "-runs"
  }

  private func arguments(_ run: String, _ more: [String] = []) -> [String] {
    [
      "train", "--data", faces.path, "--output", run, "--network", "spherenet20", "--embedding", "32",
      "--input-size", "48", "--steps", "9", "--optimizer", "sgd", "--learning-rate", "0.001", "--logit-scale", "16",
    ] + more
  }

  private func train(_ run: String, _ more: [String] = [], ranks: Int) throws -> Subprocess.Outcome {
    try Subprocess.cosface(arguments("\(runs)/\(run)", more), ranks: ranks)
  }

  private func resume(_ run: String, _ more: [String] = [], ranks: Int) throws -> Subprocess.Outcome {
    try Subprocess.cosface(["train", "--resume", "\(runs)/\(run)"] + more, ranks: ranks)
  }

  private func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: "\(runs)/\(path)")) }

  private func losses(_ run: String) throws -> [Double] { try RunMetrics.losses("\(runs)/\(run)") }

  /// A run that was stopped and goes on leaves the bytes of one that was not; checkpoints on the way change nothing.
  @Test(arguments: [[], ["--sample-rate", "0.5", "--force-sample-rate"]]) func theSameBytes(sampling: [String]) throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let options = ["--classifier", "sharded", "--batch-size", "2", "--checkpoint-every", "3"] + sampling
    let whole = try train("whole", options, ranks: 2)
    #expect(whole.exitCode == 0, "\(whole.text)")
    #expect(try train("parted", options + ["--stop-after", "5"], ranks: 2).exitCode == 75)
    let resumed = try resume("parted", ranks: 2)
    #expect(resumed.exitCode == 0, "\(resumed.text)")
    let checkpoint = "checkpoints/step-00000009"
    for file in [
      "model.safetensors", "\(checkpoint)/optimizer.safetensors",
      "\(checkpoint)/classWeight-00001-of-00002.safetensors", "\(checkpoint)/classWeight-00002-of-00002.safetensors",
    ] {
      #expect(try contents("whole/\(file)") == contents("parted/\(file)"), "\(file)")
    }
    #expect(try losses("whole") == losses("parted"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(runs)/parted/checkpoints").count == 3)
  }

  /// Whatever algorithms the MPI library takes for its collectives: other versions and other networks choose others.
  @Test func theLibrarysAlgorithmsDoNotMatter() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let algorithms = [
      [:], ["allreduce": 1, "reduce": 1, "reduce_scatter": 1], ["allreduce": 3, "reduce": 3, "reduce_scatter": 2],
    ]
    for (index, choice) in algorithms.enumerated() {
      var environment = ["OMPI_MCA_coll_tuned_use_dynamic_rules": "1"]
      for (name, number) in choice { environment["OMPI_MCA_coll_tuned_\(name)_algorithm"] = "\(number)" }
      let options = ["--classifier", "sharded", "--batch-size", "4", "--steps", "4", "--network", "mobilefacenet"]
      let outcome = try Subprocess.cosface(
        arguments("\(runs)/\(index)", options), ranks: 3, environment: environment)
      #expect(outcome.exitCode == 0, "\(outcome.text)")
      guard index > 0 else { continue }
      #expect(try contents("\(index)/model.safetensors") == contents("0/model.safetensors"), "\(choice)")
      #expect(try losses("\(index)") == losses("0"))
    }
  }

  /// Divided among 4 ranks, whole on 2, divided among 3: the same run.
  @Test func anotherDivision() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train("whole", ["--batch-size", "12"], ranks: 1).exitCode == 0)
    let sharded = ["--classifier", "sharded"]
    let first = try train("parted", sharded + ["--batch-size", "3", "--stop-after", "3"], ranks: 4)
    #expect(first.exitCode == 75, "\(first.text)")
    let second = try resume("parted", ["--classifier", "replicated", "--stop-after", "3"], ranks: 2)
    #expect(second.exitCode == 75, "\(second.text)")
    // The sums of the other classifier are rounded in another order.
    let note = "note      --classifier replicated, before sharded: "
    #expect(second.lines.contains { $0.hasPrefix(note) }, "\(second.text)")
    let third = try resume("parted", sharded, ranks: 3)
    #expect(third.text.contains("--classifier sharded, before replicated"), "\(third.text)")
    #expect(third.exitCode == 0, "\(third.text)")
    // One rank holds all rows either way, and makes the same sums.
    let alone = try resume("whole", sharded, ranks: 1)
    #expect(alone.exitCode == 0 && !alone.text.contains("before replicated"), "\(alone.text)")
    let expected = try losses("whole")
    #expect(try losses("parted").count == expected.count)
    for (a, b) in zip(try losses("parted"), expected) { #expect(abs(a - b) <= 1e-4 * b) }
    let models = try ["whole", "parted"].map { try SafetensorsFile(path: "\(runs)/\($0)/model.safetensors") }
    #expect(models[0].names == models[1].names)
    #expect(try models[1].shape(of: "classWeight") == [7, 32])
    for (a, b) in zip(try models[0].floats(of: "classWeight"), try models[1].floats(of: "classWeight")) {
      #expect(abs(a - b) <= 1e-5)
    }
  }

  @Test func partsAreIndexedAndDamageIsNamed() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let options = ["--classifier", "sharded", "--batch-size", "2"]
    #expect(try train("run", options + ["--stop-after", "2"], ranks: 3).exitCode == 75)
    let checkpoint = "run/checkpoints/step-00000002"
    let json = try JSONSerialization.jsonObject(with: contents("\(checkpoint)/model.safetensors.index.json"))
    let files = try #require((json as? [String: Any])?["weight_map"] as? [String: String])
    var rows = 0
    for part in 1...3 {
      let (name, file) = ("classWeight.0000\(part)-of-00003", "classWeight-0000\(part)-of-00003.safetensors")
      #expect(files[name] == file && files["momentum.\(name)"] == file)
      rows += try SafetensorsFile(path: "\(runs)/\(checkpoint)/\(file)").shape(of: name)[0]
    }
    #expect(rows == 7)
    #expect(files["layer1.0.conv1.weight"] == nil || files["layer1.0.conv1.weight"] == "model.safetensors")
    #expect(files.values.contains("model.safetensors") && files.values.contains("optimizer.safetensors"))
    let whole = try Subprocess.cosface(["inspect", "\(runs)/\(checkpoint)"])
    #expect(whole.exitCode == 0 && whole.text.contains("classWeight-00003-of-00003.safetensors"), "\(whole.text)")

    let path = "\(checkpoint)/classWeight-00002-of-00003.safetensors"
    var bytes = try contents(path)
    bytes[bytes.count - 5] ^= 1
    try bytes.write(to: URL(fileURLWithPath: "\(runs)/\(path)"))
    let damaged = try Subprocess.cosface(["inspect", "\(runs)/\(checkpoint)"])
    #expect(damaged.exitCode == 1)
    #expect(damaged.text.contains("tensor 'momentum.classWeight.00002-of-00003'"), "\(damaged.text)")
    try FileManager.default.removeItem(atPath: "\(runs)/\(path)")
    let missing = try Subprocess.cosface(["inspect", "\(runs)/\(checkpoint)"])
    #expect(missing.exitCode == 1 && missing.text.contains("the file is missing"), "\(missing.text)")
  }

  @Test func whatCannotBeDoneIsRefused() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    func expectRefusal(_ options: [String], ranks: Int = 2, _ words: String...) throws {
      let outcome = try train("refused", ["--batch-size", "2"] + options, ranks: ranks)
      #expect(outcome.exitCode != 0)
      for word in words { #expect(outcome.text.contains(word), "\(outcome.text)") }
    }
    let sampled = ["--classifier", "sharded", "--sample-rate", "0.1"]
    try expectRefusal(sampled, "7 people", "100000 classes", "--force-sample-rate")
    try expectRefusal(["--sample-rate", "0.1", "--force-sample-rate"], "works with --classifier sharded only")
    try expectRefusal(sampled + ["--force-sample-rate", "--gradient-clipping", "1"], "--gradient-clipping")
    try expectRefusal(sampled + ["--force-sample-rate", "--gradient-accumulation", "2"], "--gradient-accumulation")
    try expectRefusal(["--classifier", "sharded", "--sample-rate", "1.5"], ranks: 1, "from 1e-06 to 1")
    try expectRefusal(["--force-sample-rate"], ranks: 1, "goes with --sample-rate")
  }

  /// Ranks on hosts that do not share the run's folder; here, ranks that stand in different folders.
  @Test func foldersThatAreNotSharedAreRefused() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    for name in ["a", "b"] {
      try FileManager.default.createDirectory(atPath: "\(runs)/\(name)", withIntermediateDirectories: true)
    }
    let options = arguments("run", ["--classifier", "sharded", "--batch-size", "2"])
    let outcome = try Subprocess.cosface(options, and: options, folders: ["\(runs)/a", "\(runs)/b"])
    #expect(outcome.exitCode == 1)
    for word in ["'run'", "rank 1 (", "all hosts share", "--classifier replicated"] {
      #expect(outcome.text.contains(word), "\(outcome.text)")
    }
  }
}
