import Foundation
import TestSupport
import Testing
import Weights

/// What `cosface train --trace` writes, read as a viewer reads it.
@Suite(.serialized) struct TraceCommandTests {
  private struct Event: Decodable {
    struct Arguments: Decodable {
      var step: Int?
      var bytes: Int?
    }
    var name: String
    var cat: String?
    var ph: String
    var ts: Double?
    var dur: Double?
    var pid: Int
    var id: String?
    var args: Arguments?
  }

  private let faces: FaceFolder
  private let runs: String

  init() throws {
    faces = try FaceFolder(people: 4, images: 5)
    runs = faces.path + "-runs"
  }

  private func train(_ more: [String], ranks: Int) throws -> Subprocess.Outcome {
    try Subprocess.cosface(
      [
        "train", "--data", faces.path, "--output", "\(runs)/run", "--network", "mobilefacenet", "--embedding", "32",
        "--input-size", "48", "--batch-size", "4", "--steps", "6", "--optimizer", "sgd", "--learning-rate", "0.05",
      ] + more, ranks: ranks)
  }

  private func shares() throws -> [Double] {
    let text = try String(contentsOfFile: "\(runs)/run/metrics.jsonl", encoding: .utf8)
    return try text.split(separator: "\n").map {
      let line = try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      return try #require(line["communicationShare"] as? Double)
    }
  }

  @Test(arguments: [1, 2]) func oneFileForAllRanks(ranks: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let path = faces.path + "/../\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let outcome = try train(
      ["--trace", path, "--trace-steps", "2..4", "--gradient-type", "bfloat16", "--verify-replicas", "1"], ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    #expect(outcome.text.contains("steps 2..4 in \(path)"), "\(outcome.text)")
    let events = try JSONDecoder().decode([Event].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    #expect(Set(events.map(\.pid)) == Set(0..<ranks))
    #expect(events.filter { $0.name == "process_name" }.count == ranks)
    for rank in 0..<ranks { try expectOrder(events.filter { $0.pid == rank && $0.ph != "M" }, ranks: ranks) }
    // Somebody waits for somebody.
    #expect(ranks == 1 || events.contains { $0.cat == "waiting" && $0.name.hasPrefix("MPI_") })
    let shares = try shares()
    #expect(shares.count == 6 && shares.allSatisfy { $0 >= 0 && $0 <= 1 })
    // One rank calls the library too, but has nobody to wait for.
    #expect(ranks > 1 || shares.allSatisfy { $0 < 0.5 })
  }

  private func expectOrder(_ events: [Event], ranks: Int) throws {
    let spans = events.filter { $0.ph == "X" }
    #expect(Set(spans.compactMap(\.args?.step)) == [2, 3, 4])
    for name in ["step", "wait for images", "forward", "classifier forward", "backward", "update", "renormalize"] {
      #expect(spans.filter { $0.name == name }.count >= 3, "\(name)")
    }
    // Layers lie within the passes.
    #expect(spans.contains { $0.cat == "forward" && $0.name.contains("layers.") })
    #expect(spans.contains { $0.cat == "backward" && $0.name.contains("layers.") })
    let sorted = spans.sorted { ($0.ts!, -$0.dur!) < ($1.ts!, -$1.dur!) }
    var open: [Double] = []
    for span in sorted {
      let (start, end) = (try #require(span.ts), try #require(span.ts) + #require(span.dur))
      #expect(start >= 0)
      while let last = open.last, last <= start { open.removeLast() }
      // A microsecond is 1000 of the clock's ticks: what is left is the rounding of Doubles.
      #expect(open.last.map { end <= $0 + 1e-3 } ?? true, "\(span.name) ends after the span that it lies in")
      open.append(end)
    }
    let departures = events.filter { $0.ph == "b" }
    let arrivals = Dictionary(uniqueKeysWithValues: events.filter { $0.ph == "e" }.map { ($0.id ?? "", $0) })
    #expect(departures.isEmpty == (ranks == 1))
    #expect(departures.count == arrivals.count)
    for bucket in departures {
      let arrival = try #require(arrivals[bucket.id ?? ""])
      #expect(try #require(arrival.ts) > #require(bucket.ts) && arrival.name == bucket.name)
      #expect(try #require(bucket.args?.bytes) > 0)
    }
    if ranks > 1 {
      let names = Set(departures.map(\.name))
      #expect(names == ["network's gradients", "class weight's gradient", "running statistics"])
    }
  }

  @Test func aRunThatEndsBefore() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let path = faces.path + "/../\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let outcome = try train(["--trace", path, "--trace-steps", "50..60"], ranks: 1)
    #expect(outcome.exitCode == 0 && outcome.text.contains("ended before step 50"), "\(outcome.text)")
    let events = try JSONDecoder().decode([Event].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    #expect(!events.isEmpty && events.allSatisfy { $0.ph == "M" })
  }

  /// The folder of the trace goes between the trial at the start and the end: a full disk would do the same.
  @Test(arguments: [(1, 6, Int32(1)), (2, 6, 1), (2, 3, 75)])
  func aTraceThatCannotBeWritten(ranks: Int, steps: Int, exitCode: Int32) throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    // A run that begins anew clears this folder away.
    let folder = "\(runs)/run/tensorboard"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let outcome = try train(
      [
        "--resume-or-start", "\(runs)/run", "--no-tensorboard", "--trace", "\(folder)/trace.json", "--stop-after",
        "\(steps)",
      ],
      ranks: ranks)
    #expect(outcome.exitCode == exitCode, "\(outcome.text)")
    #expect(outcome.text.contains("The trace was not written, all else was. Cannot create a file to write"))
    #expect(outcome.text.contains("\(folder)/trace.json"), "\(outcome.text)")
    #expect(outcome.lines.count { $0.hasPrefix("Error: ") } == (exitCode == 1 ? 1 : 0), "\(outcome.text)")
    let checkpoint = try Checkpoint(path: "\(runs)/run/checkpoints/step-0000000\(steps)")
    #expect(checkpoint.state.step == steps)
    #expect(FileManager.default.fileExists(atPath: "\(runs)/run/model.safetensors") == (steps == 6))
    #expect(try shares().count == steps)
  }

  @Test(arguments: [
    (["--trace-steps", "1..2"], "--trace-steps goes with --trace"),
    (["--trace", "/nowhere/trace.json"], "/nowhere/trace.json"),
    (["--trace", "t.json", "--trace-steps", "5..2"], "5..2"),
    (["--trace", "t.json", "--trace-steps", "0..5000"], "1000 at most"),
    (["--gradient-type", "float16"], "float16"),
  ])
  func refusals(_ arguments: [String], _ message: String) throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let outcome = try train(arguments, ranks: 1)
    #expect(outcome.exitCode != 0)
    #expect(outcome.text.contains(message), "\(outcome.text)")
  }
}
