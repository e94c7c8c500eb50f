import Foundation
import TestSupport
import Testing

/// What `cosface plan` prints: figures of speed are not checked here, but they must fit each other.
@Suite(.serialized) struct PlanCommandTests {
  private let small = [
    "plan", "--network", "mobilefacenet", "--input-size", "48", "--embedding", "64", "--batch-size", "4", "--steps",
    "2",
    "--threads", "1",
  ]

  private func object(_ outcome: Subprocess.Outcome) throws -> [String: Any] {
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let line = try #require(outcome.lines.last { $0.hasPrefix("{") }, "\(outcome.text)")
    return try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  private func expectSums(_ row: [String: Any]) throws {
    let seconds = try #require(row["secondsPerStep"] as? Double)
    let parts = try #require(row["step"] as? [String: Double])
    let sum = parts.reduce(0) { $1.key == "bytesSent" ? $0 : $0 + $1.value }
    #expect(abs(sum / seconds - 1) < 1e-9 && seconds > 0)
    let ranks = try #require(row["ranks"] as? Int)
    #expect(abs(try #require(row["imagesPerSecond"] as? Double) * seconds / Double(4 * ranks) - 1) < 1e-9)
    let memory = try #require((row["memory"] as? [String: Any])?["parts"] as? [[String: Any]])
    let bytes = memory.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) }
    let total = try #require(row["memoryBytes"] as? Int)
    // The rest is the program.
    #expect(total > bytes && total < bytes + 1_000_000_000)
  }

  private func activations(_ row: [String: Any]) throws -> Int {
    let parts = try #require((row["memory"] as? [String: Any])?["parts"] as? [[String: Any]])
    return try #require(parts.first { $0["name"] as? String == "activations" }?["bytes"] as? Int)
  }

  /// AdamW keeps twice what SGD keeps of each weight; what was measured for one is not told of the other.
  @Test func theOptimizersMemory() throws {
    func bytes(_ optimizer: String) throws -> Int {
      let plan = try object(Subprocess.cosface(small + ["--classes", "3000", "--optimizer", optimizer, "--json"]))
      let row = try #require((plan["choices"] as? [[String: Any]])?.first)
      let parts = try #require((row["memory"] as? [String: Any])?["parts"] as? [[String: Any]])
      return try #require(parts.first { ($0["name"] as? String ?? "").hasPrefix("class weight") }?["bytes"] as? Int)
    }
    #expect(try bytes("adamw") - bytes("sgd") == 3000 * 64 * 4)
    #expect(try bytes("muon") == bytes("adamw"))
    let plan = try object(Subprocess.cosface(small + ["--json"]))
    let path = NSTemporaryDirectory() + "plan-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try JSONSerialization.data(withJSONObject: ["compute": plan["compute"]!]).write(to: URL(fileURLWithPath: path))
    var arguments = small
    arguments.removeSubrange(arguments.firstIndex(of: "--steps")!..<arguments.firstIndex(of: "--threads")!)
    expectRefusal(
      try Subprocess.cosface(arguments + ["--compute", path, "--optimizer", "sgd"]), "--optimizer muon, not sgd")
  }

  /// Measured once, told for a cluster, and told again from what was written.
  @Test func measuredAndReadAgain() throws {
    let plan = try object(
      Subprocess.cosface(
        small + [
          "--classes", "3000", "--ranks", "4", "--ranks-per-host", "1", "--bandwidth", "1gbit", "--latency", "50",
          "--json",
        ]))
    let choices = try #require(plan["choices"] as? [[String: Any]])
    #expect(choices.map { $0["classifier"] as? String } == ["replicated", "sharded"])
    let table = try #require(plan["table"] as? [[String: Any]])
    #expect(Set(table.compactMap { $0["ranks"] as? Int }) == Set((0...10).map { 1 << $0 }))
    for row in choices + table { try expectSums(row) }
    #expect((plan["link"] as? [String: Any])?["bytesPerSecond"] as? Double == 1.25e8)
    let advice = try #require(plan["recommendation"] as? [String: Any])
    #expect(["replicated", "sharded"].contains(advice["classifier"] as? String))
    #expect((advice["reason"] as? String ?? "").contains("ms a step"))

    let path = NSTemporaryDirectory() + "plan-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try JSONSerialization.data(withJSONObject: ["compute": plan["compute"]!, "link": plan["link"]!])
      .write(to: URL(fileURLWithPath: path))
    // Nothing is measured again: no steps.
    let small = small.filter { !["--steps", "2"].contains($0) }
    let again = try object(
      Subprocess.cosface(
        small + [
          "--classes", "3000", "--ranks", "4", "--ranks-per-host", "1", "--link", path, "--compute", path, "--json",
        ]))
    let rows = try #require(again["choices"] as? [[String: Any]])
    for (a, b) in zip(choices, rows) {
      #expect(try abs(#require(a["secondsPerStep"] as? Double) / #require(b["secondsPerStep"] as? Double) - 1) < 1e-6)
    }
    let recomputed = try object(
      Subprocess.cosface(small + ["--classes", "3000", "--compute", path, "--recompute", "--json"]))
    let less = try #require(recomputed["choices"] as? [[String: Any]])
    #expect(try activations(less[0]) < activations(choices[0]))
    let other = try Subprocess.cosface(
      small + ["--embedding", "128", "--compute", path])
    #expect(other.exitCode != 0)
    #expect(other.text.contains("was measured with --embedding 64, not 128"), "\(other.text)")
    let threads = try Subprocess.cosface(small.dropLast() + ["2", "--compute", path])
    #expect(threads.text.contains("was measured with --threads 1, not 2"), "\(threads.text)")
  }

  /// On the ranks that were started, which share this host.
  @Test func forPeople() throws {
    let outcome = try Subprocess.cosface(small + ["--classes", "500", "--memory", "0.001"], ranks: 2)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    for text in ["MB per rank", "ms per step", "replicated", "sharded", "Neither fits into 0.00 GB", "1024"] {
      #expect(outcome.text.contains(text), "\(text) in \(outcome.text)")
    }
    #expect(outcome.lines.filter { $0.hasPrefix("ms per step") }.count == 1)
  }

  @Test(arguments: [
    (["--ranks", "2", "--ranks-per-host", "1"], "need a link between hosts"),
    (["--bandwidth", "1gbit"], "--bandwidth and --latency go together"),
    (["--bandwidth", "fast", "--latency", "1"], "fast"),
    (["--link", "/nowhere/check.json"], "/nowhere/check.json"),
    (["--link", "x", "--latency", "1"], "not both"),
    (["--ranks", "0"], "'0' is invalid for '--ranks <ranks>': a whole number from 1 to 1000000 is needed"),
  ])
  func refusals(_ arguments: [String], _ message: String) throws {
    let outcome = try Subprocess.cosface(small + arguments)
    #expect(outcome.exitCode != 0)
    #expect(outcome.text.contains(message), "\(outcome.text)")
  }
}
