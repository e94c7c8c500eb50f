import Foundation
import NeuralNetwork
import Planning
import TestSupport
import Testing

/// What `cosface bench` prints. Figures of speed are not checked here, but they must be figures that fit each other.
@Suite(.serialized) struct BenchCommandTests {
  private func bench(_ arguments: [String], ranks: Int = 1) throws -> [String: Any] {
    let outcome = try Subprocess.cosface(["bench"] + arguments + ["--threads", "1", "--json"], ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let line = try #require(outcome.lines.last { $0.hasPrefix("{") }, "\(outcome.text)")
    return try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  private func number(_ report: [String: Any], _ name: String) throws -> Double {
    let value = try #require((report[name] as? NSNumber)?.doubleValue, "\(name) in \(report)")
    #expect(value > 0 && value.isFinite, "\(name) is \(value)")
    return value
  }

  private func expectLimits(_ report: [String: Any]) throws {
    let limits = try #require(report["limits"] as? [String: Any])
    #expect(try number(limits, "triadGBPerSecond") < 10_000)
    #expect(try number(limits, "gemmGFLOPPerSecond") < 1_000_000)
    // A program with Swift's and oneDNN's libraries takes some megabytes at least.
    #expect(try number(report, "peakResidentGB") > 0.005)
  }

  @Test(arguments: [1, 2]) func step(ranks: Int) throws {
    let report = try bench(
      [
        "step", "--network", "spherenet20", "--input-size", "48", "--embedding", "64", "--batch-size", "3", "--classes",
        "50", "--steps", "3",
      ], ranks: ranks)
    try expectLimits(report)
    let seconds = try number(report, "secondsPerStep")
    #expect(abs(try number(report, "imagesPerSecond") * seconds / Double(3 * ranks) - 1) < 1e-9)
    let alone = try number(report, "convolutionSeconds")
    #expect(abs(try number(report, "shareOfConvolutionRate") * seconds / alone - 1) < 1e-9)
    #expect(report["network"] as? String == "spherenet20")
    #expect(report["ranks"] as? Int == ranks)
    #expect(report["threads"] as? Int == 1)
    #expect(report["classes"] as? Int == 50)
    #expect(report["batchSize"] as? Int == 3)
    let traffic = try #require(report["traffic"] as? [[String: Any]])
    // Sums of gradients and, with two ranks, the norm of all rows and their factors.
    #expect(traffic.compactMap { $0["formula"] as? Int }.reduce(0, +) == report["formulaBytesPerStep"] as? Int)
    #expect(traffic.count == (ranks == 1 ? 3 : 5))
    #expect(ranks == 1 || traffic.last?["formula"] as? Int == 4 * 50)
    for part in traffic.prefix(3) {
      let (counted, formula) = (try #require(part["counted"] as? Int), try #require(part["formula"] as? Int))
      #expect((formula > 0) == (ranks > 1 && part["name"] as? String != "running statistics"))
      // Two ranks divide buckets but for a cache line.
      #expect(abs(counted - formula) <= 64 * 20 && (counted > 0) == (formula > 0), "\(part)")
    }
  }

  /// Every parameter's layer has one line, and with what belongs to no layer all lines add up to the step.
  @Test(arguments: [
    (NetworkKind.mobilefacenet, ["--recompute", "--optimizer", "muon"], 1),
    (.mobilefacenet, ["--freeze", "layers.*"], 2),
  ])
  func layers(kind: NetworkKind, more: [String], ranks: Int) throws {
    let report = try bench(
      [
        "step", "--layers", "--network", kind.rawValue, "--input-size", "48", "--embedding", "64", "--batch-size", "4",
        "--classes", "50", "--steps", "3",
      ] + more, ranks: ranks)
    let object = try JSONSerialization.data(withJSONObject: try #require(report["layers"]))
    let layers = try JSONDecoder().decode([LayerTime].self, from: object)
    let sums = try JSONDecoder().decode(
      StepSums.self, from: JSONSerialization.data(withJSONObject: try #require(report["layerSums"])))
    let names = kind.parameters(embeddingWidth: 64, inputSide: 48).map(\.name).filter { !$0.contains("running_") }
    #expect(layers.flatMap(\.parameters).sorted() == (names + ["classWeight"]).sorted())
    #expect(Set(layers.map(\.name)).count == layers.count)
    for layer in layers {
      for measurement in layer.directions {
        let place = "\(layer.name): \(measurement)"
        #expect(measurement.milliseconds > 0 && measurement.fastestMilliseconds <= measurement.milliseconds, "\(place)")
        guard let limit = measurement.limitMilliseconds else { continue }
        #expect(limit > 0 && measurement.bound != nil, "\(place)")
        #expect(measurement.operations == 0 || measurement.gigaflops! > 0, "\(place)")
      }
    }
    let lines = layers.flatMap(\.directions).reduce(0) { $0 + $1.milliseconds }
    let rest = sums.rest.reduce(0) { $0 + $1.milliseconds }
    #expect(abs((lines + rest) / sums.stepMilliseconds - 1) < 1e-9)
    #expect(abs(sums.kinds.reduce(rest) { $0 + $1.milliseconds } / sums.stepMilliseconds - 1) < 1e-9)
    // The layers are rank 0's, the step is the slowest rank's.
    let share = sums.stepWithoutClocksMilliseconds / (1e3 * (try number(report, "secondsPerStep")))
    #expect(share < 1 + 1e-9 && (ranks > 1 || share > 1 - 1e-9))
    let directions = Set(layers.flatMap(\.directions).map(\.direction))
    #expect(directions.contains(.update) == !more.contains("muon"))
    #expect(directions.contains(.forwardAgain) == more.contains("--recompute"))
    #expect(sums.rest.contains { $0.name.hasPrefix("communication") } == (ranks > 1))
    let backward = layers.filter { $0.directions.contains { $0.direction.rawValue.hasPrefix("backward") } }
    #expect((backward.count < layers.count) == more.contains("--freeze"))
  }

  @Test func layersForPeople() throws {
    let outcome = try Subprocess.cosface([
      "bench", "step", "--layers", "--network", "spherenet20", "--input-size", "48", "--embedding", "64",
      "--batch-size",
      "2", "--classes", "50", "--steps", "1", "--threads", "1",
    ])
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let columns = outcome.lines.map { $0.split(separator: " ").map(String.init) }
    for name in ["conv1_1", "relu1_1", "conv4_3", "fc5"] { #expect(columns.count { $0.first == name } == 1, "\(name)") }
    let first = try #require(columns.first { $0.first == "conv1_1" })
    #expect(first[1...3] == ["3x3/2", "3x48x48", "64x24x24"])
    #expect(outcome.text.contains("with data") && outcome.text.contains("the clocks' cost"), "\(outcome.text)")
    #expect(outcome.lines.contains { $0.hasPrefix("3 x 3 convolutions") })
  }

  @Test func head() throws {
    let report = try bench(["head", "--classes", "3000", "--embedding", "64", "--batch-size", "5", "--steps", "3"])
    try expectLimits(report)
    #expect(try number(report, "fastestSecondsPerStep") <= number(report, "secondsPerStep"))
    _ = try (
      number(report, "memoryLimitSeconds"), number(report, "productLimitSeconds"), number(report, "shareOfLimit")
    )
    #expect(report["classes"] as? Int == 3000)
  }

  @Test func infer() throws {
    let report = try bench(["infer", "--input-size", "48", "--embedding", "64", "--batch-size", "4", "--steps", "3"])
    try expectLimits(report)
    #expect(abs(try number(report, "imagesPerSecond") * number(report, "milliseconds") / 4000 - 1) < 1e-9)
    _ = try number(report, "convolutionMilliseconds")
  }

  @Test func allReduce() throws {
    let report = try bench(["allreduce", "--megabytes", "1", "--steps", "3"], ranks: 2)
    try expectLimits(report)
    let sizes = try #require(report["sizes"] as? [[String: Any]])
    #expect(sizes.compactMap { $0["bytes"] as? Int } == [4096, 16384, 65536, 262_144, 1_048_576])
    for size in sizes {
      #expect(abs(try number(size, "bytesPerSecond") * number(size, "seconds") / number(size, "bytes") - 1) < 1e-9)
      // Of two ranks each sends half, and then its half's sum.
      #expect(size["sentBytes"] as? Int == size["bytes"] as? Int)
      #expect(size["sentBytesFormula"] as? Int == size["bytes"] as? Int)
      _ = try number(size, "librarySeconds")
    }
    #expect(report["ranks"] as? Int == 2)
  }

  @Test func data() throws {
    let faces = try FaceFolder(people: 3, images: 5)
    let report = try bench(["data", "--data", faces.path, "--input-size", "48", "--batch-size", "4", "--steps", "6"])
    try expectLimits(report)
    // Three batches of 4 an epoch of 15: six batches are two epochs' worth.
    #expect(try number(report, "images") >= 22)
    #expect(report["badImages"] as? Int == 0)
    _ = try (number(report, "imagesPerSecond"), number(report, "decodedImagesPerSecond"))
  }

  @Test func forPeople() throws {
    let outcome = try Subprocess.cosface(
      ["bench", "head", "--classes", "500", "--embedding", "64", "--batch-size", "5", "--steps", "1", "--threads", "1"])
    #expect(outcome.exitCode == 0)
    #expect(outcome.text.contains("share reached"))
    #expect(!outcome.text.contains("{"))
  }

  @Test(arguments: [
    (["head", "--classes", "1"], "'1' is invalid for '--classes <classes>': a whole number from 2 to"),
    (["step", "--steps", "0"], "'0' is invalid for '--steps <steps>': a whole number from 1 to 1000000 is needed"),
    (["infer", "--input-size", "100"], "a multiple of 16 from 16 to 4096 is needed"),
    (["data", "--data", "/nowhere"], "/nowhere"),
  ])
  func refusals(_ arguments: [String], _ message: String) throws {
    let outcome = try Subprocess.cosface(["bench"] + arguments)
    #expect(outcome.exitCode != 0)
    #expect(outcome.text.contains(message), "\(outcome.text)")
  }

  @Test func oneRankOnly() throws {
    let outcome = try Subprocess.cosface(["bench", "infer"], ranks: 2)
    #expect(outcome.exitCode != 0)
    #expect(outcome.text.contains("measures one rank"), "\(outcome.text)")
  }
}
