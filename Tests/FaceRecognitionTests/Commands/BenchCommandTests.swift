import Foundation
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
