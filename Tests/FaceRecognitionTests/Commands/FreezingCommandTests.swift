import Files
import Foundation
import TestSupport
import Testing
import Training
import Weights

/// Frozen parts, a head that is trained alone first, and rates of parts, as a person meets them.
@Suite(.serialized) struct FreezingCommandTests {
  private let faces: FaceFolder
  private let runs: String

  init() throws {
    faces = try FaceFolder(people: 4, images: 7)
    runs = faces.path + "-runs"
  }

  private func train(_ run: String, _ more: [String], ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(
      [
        "train", "--data", faces.path, "--output", "\(runs)/\(run)", "--embedding", "32", "--input-size", "48",
        "--batch-size", "4", "--steps", "9", "--learning-rate", "0.02", "--logit-scale", "16", "--workers", "1",
      ] + more, ranks: ranks)
  }

  private func resume(_ run: String, _ more: [String] = [], ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(["train", "--resume", "\(runs)/\(run)"] + more, ranks: ranks)
  }

  private func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: "\(runs)/\(path)")) }

  private func tensors(_ path: String) throws -> [String: [UInt32]] {
    let file = try SafetensorsFile(path: "\(runs)/\(path)")
    return Dictionary(
      uniqueKeysWithValues: try file.names.filter { !$0.hasSuffix("tracked") }.map {
        ($0, try file.floats(of: $0).map(\.bitPattern))
      })
  }

  /// Stopped while the head is trained alone, at its end, and after: the same bytes.
  @Test(arguments: [(1, "muon"), (2, "sgd")]) func theHeadFirst(ranks: Int, optimizer: String) throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    // Four steps of the seven, or four, that an epoch has.
    let epochs = ranks == 1 ? 0.571 : 1
    let options = [
      "--head-epochs", "\(epochs)", "--optimizer", optimizer, "--backbone-rate-factor", "0.5",
      "--rate-factor", "features.*=2", "*.bias=0.25",
    ]
    let whole = try train("whole", options, ranks: ranks)
    #expect(whole.exitCode == 0, "\(whole.text)")
    #expect(whole.text.contains("head      the class weight alone is trained in the first 4 steps"), "\(whole.text)")
    #expect(whole.text.contains("; the network's times 0.5, features.* times 2, *.bias times 0.25"), "\(whole.text)")
    for stops in [[2], [4], [3, 5]] {
      let name = "parted\(stops)"
      let first = try train(name, options + ["--stop-after", "\(stops[0])"], ranks: ranks)
      #expect(first.exitCode == 75, "\(first.text)")
      for more in stops.dropFirst() {
        #expect(try resume(name, ["--stop-after", "\(more - stops[0])"], ranks: ranks).exitCode == 75)
      }
      let last = try resume(name, ranks: ranks)
      #expect(last.exitCode == 0, "\(last.text)")
      for file in ["model.safetensors", "checkpoints/step-00000009/optimizer.safetensors"] {
        #expect(try contents("whole/\(file)") == contents("\(name)/\(file)"), "\(file), stopped at \(stops)")
      }
      #expect(try RunMetrics.losses("\(runs)/whole") == RunMetrics.losses("\(runs)/\(name)"))
    }
    let held = try TrainingOptions(
      configuration: JSONDecoder().decode([String: JSONValue].self, from: contents("whole/configuration.json")))
    #expect(held.headEpochs == epochs && held.backboneRateFactor == 0.5)
    #expect(held.rateFactor == [RateFactor("features.*", 2), RateFactor("*.bias", 0.25)])
    let again = try Subprocess.cosface(
      ["train", "--config", "\(runs)/whole/run.yaml", "--output", "\(runs)/again"], ranks: ranks)
    #expect(again.exitCode == 0, "\(again.text)")
    #expect(try contents("whole/model.safetensors") == contents("again/model.safetensors"))
  }

  @Test(arguments: [["backbone"], ["layers.[0-5].*", "conv_sep.*"]]) func frozen(_ patterns: [String]) throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train("first", ["--steps", "4"]).exitCode == 0)
    let options = ["--weights", "\(runs)/first", "--freeze"] + patterns
    let whole = try train("whole", options)
    #expect(whole.exitCode == 0, "\(whole.text)")
    let line = "frozen    \(patterns.joined(separator: ", ")): "
    #expect(whole.text.contains(line + (patterns.count == 1 ? "of the model the class weight" : "")), "\(whole.text)")
    let (before, after) = (try tensors("first/model.safetensors"), try tensors("whole/model.safetensors"))
    for (name, bits) in after {
      let isFrozen = name != "classWeight" && (patterns.count == 1 || name.contains(/^(layers\.[0-5]|conv_sep)\./))
      #expect((bits == before[name]) == isFrozen, "\(name)")
    }
    // No state is kept of what is frozen.
    let states = try tensors("whole/checkpoints/step-00000009/optimizer.safetensors").keys
    #expect(states.contains { $0.hasSuffix(".classWeight") })
    #expect(!states.contains { $0.contains(/^\w+\.(layers\.0|conv_sep)\./) })
    #expect(states.contains { $0.contains("features") } == (patterns.count > 1))
    #expect(try train("parted", options + ["--stop-after", "5"]).exitCode == 75)
    let other = try resume("parted", ["--freeze", "features.*", "--accept-changes"])
    #expect(other.exitCode == 1 && other.text.contains("freeze") && other.text.contains("nothing"), "\(other.text)")
    #expect(try resume("parted", ["--freeze"] + patterns).exitCode == 0)
    #expect(try contents("whole/model.safetensors") == contents("parted/model.safetensors"))
  }

  @Test func norms() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train("first", ["--steps", "2"]).exitCode == 0)
    #expect(try train("second", ["--weights", "\(runs)/first", "--freeze", "norms", "--steps", "2"]).exitCode == 0)
    let (before, after) = (try tensors("first/model.safetensors"), try tensors("second/model.safetensors"))
    let norms = after.keys.filter { $0.hasSuffix(".running_mean") }.map { $0.dropLast("running_mean".count) }
    #expect(norms.count > 40)
    for (name, bits) in after {
      #expect((bits == before[name]) == norms.contains { name.hasPrefix($0) }, "\(name)")
    }
    let sphere = try train("sphere", ["--network", "spherenet20", "--steps", "1"])
    #expect(sphere.exitCode == 0, "\(sphere.text)")
    let refused = try train("third", ["--weights", "\(runs)/sphere", "--freeze", "norms"])
    #expect(refused.exitCode != 0 && refused.text.contains("spherenet20 has no batch normalization"), "\(refused.text)")
  }

  @Test func refusals() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try train("first", ["--steps", "2"]).exitCode == 0)
    let weights = ["--weights", "\(runs)/first"]
    let cases: [([String], String)] = [
      (["--freeze", "backbone"], "--freeze goes with --weights"),
      (["--freeze", "*"], "--freeze goes with --weights"),
      (
        weights + ["--freeze", "layer.0.*"],
        "--freeze layer.0.* names no parameter of mobilefacenet. Nearest are layers.0.layers.0"
      ),
      (
        weights + ["--freeze", "backbone", "--head-epochs", "1"],
        "--head-epochs and --freeze of the whole network exclude"
      ),
      (weights + ["--freeze", "*", "--head-epochs", "1"], "--head-epochs and --freeze of the whole network exclude"),
      (
        weights + ["--freeze", "backbone", "--backbone-rate-factor", "0.5"],
        "--backbone-rate-factor and --freeze of the whole network exclude"
      ),
      (["--head-epochs", "2"], "--head-epochs is 14 steps, longer than the run of 9"),
      (["--head-epochs", "0"], "a number above 0, up to 1000000"),
      (["--backbone-rate-factor", "0"], "to leave the network as it is, give --freeze backbone"),
      (["--backbone-rate-factor", "-1"], "to leave the network as it is, give --freeze backbone"),
      (["--rate-factor", "features.*=0"], "to leave parameters as they are, give --freeze"),
      (["--rate-factor", "features.*=-1"], "to leave parameters as they are, give --freeze"),
      (
        ["--rate-factor", "feature.*=2"],
        "--rate-factor feature.* names no parameter of mobilefacenet. Nearest are features.layers.0"
      ),
      (
        weights + ["--freeze", "features.*", "--rate-factor", "features.*=2"],
        "--rate-factor features.*=2: all that it names is frozen"
      ),
      (
        weights + ["--embedding", "64", "--allow-missing", "--freeze", "features.*"],
        "a random one that stays as it is would spoil"
      ),
    ]
    for (options, words) in cases {
      expectRefusal(try train("refused", options), words)
      #expect(!FileManager.default.fileExists(atPath: "\(runs)/refused"), "\(options)")
    }
    expectRefusal(
      try Subprocess.cosface(["bench", "step", "--freeze", "nothing"]), "names no parameter of mobilefacenet")
    // What only one rank is given.
    let run = "\(runs)/two"
    func one(_ more: [String]) -> [String] {
      [
        "-n", "1", Subprocess.products.appending(path: "cosface").path, "train", "--data", faces.path, "--output", run,
        "--embedding", "32", "--input-size", "48", "--steps", "2",
      ] + more
    }
    let apart = try Subprocess.run(["mpirun", "--oversubscribe"] + one(["--head-epochs", "1"]) + [":"] + one([]))
    #expect(apart.exitCode != 0 && apart.text.contains("option headEpochs"), "\(apart.text)")
  }

  /// Less time is not checked here, but memory and messages are.
  @Test func planAndBench() throws {
    func object(_ arguments: [String], ranks: Int = 1) throws -> [String: Any] {
      let outcome = try Subprocess.cosface(
        arguments + [
          "--network", "mobilefacenet", "--input-size", "48", "--embedding", "64", "--batch-size", "4", "--steps", "2",
          "--threads", "1", "--classes", "100", "--json",
        ], ranks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome.text)")
      let line = try #require(outcome.lines.last { $0.hasPrefix("{") }, "\(outcome.text)")
      return try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
    func sent(_ freeze: [String]) throws -> (plan: Int, bench: Int, network: Int, memory: Int) {
      let plan = try object(["plan", "--optimizer", "sgd"] + freeze, ranks: 2)
      let bench = try object(["bench", "step"] + freeze, ranks: 2)
      let choices = try #require(plan["choices"] as? [[String: Any]])
      let traffic = try #require(bench["traffic"] as? [[String: Any]])
      let network = try #require(traffic.first { $0["name"] as? String == "network's gradients" }?["counted"] as? Int)
      let memory = try #require((choices[0]["memory"] as? [String: Any])?["parts"] as? [[String: Any]])
      return (
        Int(try #require(choices[0]["bytesSentPerStep"] as? Double)),
        try #require(bench["formulaBytesPerStep"] as? Int),
        network, try #require(memory[0]["bytes"] as? Int) + (try #require(memory[1]["bytes"] as? Int))
      )
    }
    let (whole, some, head) = (try sent([]), try sent(["--freeze", "layers.*"]), try sent(["--freeze", "backbone"]))
    #expect(whole.network > some.network && some.network > 0 && head.network == 0)
    #expect(whole.plan > some.plan && some.plan > head.plan && head.plan > 100 * 64 * 4)
    #expect(whole.bench > some.bench && some.bench > head.bench)
    #expect(whole.memory > some.memory && some.memory > head.memory)
    let outcome = try Subprocess.cosface([
      "plan", "--freeze", "layers.*", "--input-size", "48", "--embedding", "64", "--batch-size", "4", "--steps", "1",
      "--threads", "1",
    ])
    #expect(outcome.text.contains("frozen: layers.*"), "\(outcome.text)")
  }
}
