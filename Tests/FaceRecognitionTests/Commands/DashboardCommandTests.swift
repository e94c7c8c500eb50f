import Foundation
import Glibc
import Reports
import TestSupport
import Testing
import Training

/// The live page of a run that trains.
@Suite(.serialized) struct DashboardCommandTests {
  private let faces: FaceFolder
  private let run: String

  init() throws {
    faces = try FaceFolder(people: 4, images: 5)
    run = faces.path + "-run"
  }

  private func arguments(_ address: String, steps: Int, learningRate: String = "0.01") -> [String] {
    [
      "train", "--data", faces.path, "--output", run, "--network", "mobilefacenet", "--embedding", "32", "--input-size",
      "48", "--batch-size", "4", "--optimizer", "sgd", "--learning-rate", learningRate, "--steps", "\(steps)",
      "--dashboard", address,
    ]
  }

  @Test(arguments: [1, 2]) func aTakenPortEndsTheRunBeforeItBegins(ranks: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: run) }
    let other = try Dashboard(
      try #require(DashboardAddress("127.0.0.1:0")), RunFolder("other"), TrainingOptions(data: [""], output: ""))
    other.start(MetricsHistory(), [])
    defer { other.stop("over") }
    let port = try #require(URLComponents(string: other.address)?.port)
    let refused = try Subprocess.cosface(arguments("127.0.0.1:\(port)", steps: 2), ranks: ranks)
    #expect(refused.exitCode != 0)
    #expect(refused.text.contains("127.0.0.1:\(port)") && refused.text.contains("Another program has this port"))
    #expect(refused.lines.filter { $0.hasPrefix("Error:") }.count == 1, "\(refused.text)")
    // Nothing was written, so the same command works once the port is free.
    let free = try Subprocess.cosface(arguments("127.0.0.1:0", steps: 2), ranks: ranks)
    #expect(free.exitCode == 0 && free.text.contains("dashboard http://127.0.0.1:"), "\(free.text)")
  }

  @Test func servesWhileTrainingGoesOn() throws {
    defer { try? FileManager.default.removeItem(atPath: run) }
    let watched = try WatchedRun(arguments("127.0.0.1:0", steps: 100_000), until: "step 1/")
    defer { withExtendedLifetime(watched) {} }
    let (process, port) = (watched.process, watched.port)
    let slow = try DashboardClient(port: port)
    slow.send("GET / HT")
    let page = try DashboardClient.ask(port, "/")
    #expect(page.status == 200 && page.text.contains("of 100,000 steps, 20 images of 4 people"))
    func step() throws -> Int {
      let text = try DashboardClient.ask(port, "/metrics.json").text
      return try #require(text.firstMatch(of: /"step":([0-9]+)/).flatMap { Int($0.1) })
    }
    let first = try step()
    let deadline = Date() + 30
    while try step() <= first, Date() < deadline { Thread.sleep(forTimeInterval: 0.05) }
    #expect(try step() > first)
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    #expect(process.terminationStatus == 75)
  }

  /// Whoever watches sees why the run has failed, and does not make a signal of its exit code: `--restarts` would try again.
  @Test func aWatchedRunThatFailsKeepsItsExitCode() throws {
    defer { try? FileManager.default.removeItem(atPath: run) }
    let watched = try WatchedRun(arguments("127.0.0.1:0", steps: 100, learningRate: "1e30"), until: "dashboard http")
    defer { withExtendedLifetime(watched) {} }
    let (process, port) = (watched.process, watched.port)
    var pages: [String] = []
    while let page = try? DashboardClient.ask(port, "/") {
      if page.status == 200 { pages.append(page.text) }
      Thread.sleep(forTimeInterval: 0.02)
    }
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 1)
    #expect(pages.last?.contains("<main data-ended>") == true && pages.last?.contains("Training has failed: ") == true)
    let rest = String(decoding: watched.errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(rest.contains("not finite"), "\(rest)")
  }

  @Test func anAddressThatIsNone() throws {
    let outcome = try Subprocess.cosface(arguments("8080", steps: 2))
    #expect(outcome.exitCode != 0 && outcome.text.contains("--dashboard '8080' must be HOST:PORT"), "\(outcome.text)")
  }
}

/// A run with a live page, ended with this object.
private final class WatchedRun {
  let process = Process()
  let errors = Pipe()
  private(set) var port: UInt16 = 0

  /// Starts it, and reads what it says until it says `mark`.
  init(_ arguments: [String], until mark: String) throws {
    process.executableURL = Subprocess.products.appendingPathComponent("cosface")
    process.arguments = arguments
    (process.standardInput, process.standardOutput, process.standardError) = (
      FileHandle.nullDevice, FileHandle.nullDevice, errors
    )
    try process.run()
    var text = ""
    while !text.contains(mark) {
      let news = errors.fileHandleForReading.availableData
      try #require(!news.isEmpty, "it ended: \(text)")
      text += String(decoding: news, as: UTF8.self)
    }
    port = try #require(text.firstMatch(of: /dashboard http:\/\/127.0.0.1:([0-9]+)\//).flatMap { UInt16($0.1) })
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
}
