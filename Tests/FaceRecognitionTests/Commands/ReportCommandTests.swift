import Evaluation
import Foundation
import NeuralNetwork
import Reports
import TestSupport
import Testing
import Training

/// Pages of real runs: their figures are those of the files, and of `evaluate`.
@Suite(.serialized) struct ReportCommandTests {
  private let faces: FaceFolder
  private let runs: String

  init() throws {
    faces = try FaceFolder(people: 6, images: 4)
    runs = faces.path + "-runs"
  }

  private func train(_ run: String, _ more: [String] = []) throws {
    let outcome = try Subprocess.cosface(
      [
        "train", "--data", faces.path, "--output", "\(runs)/\(run)", "--network", "mobilefacenet", "--embedding", "32",
        "--input-size", "48", "--batch-size", "8", "--steps", "4", "--optimizer", "sgd", "--learning-rate", "0.02",
        "--holdout-people", "3",
        "--seed", "5",
      ] + more)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
  }

  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  @Test func aRunAndItsEvaluation() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let run = "\(runs)/run"
    try train("run")
    #expect(try Subprocess.cosface(["report", run], ranks: 2).exitCode == 0)
    let page = try text("\(run)/report.html")
    let evaluated = try Subprocess.cosface(
      ["evaluate", "--model", run, "--data", faces.path, "--holdout-people", "3", "--seed", "5", "--json"])
    let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(evaluated.text.utf8)).verification
    #expect(page.contains(String(format: "%.2f %%", 100 * report.best.accuracy)))
    #expect(page.contains(String(format: "area under the curve %.4f.", report.areaUnderCurve)))
    #expect(page.contains(String(format: "the line is the best threshold, %.4f.", report.best.threshold)))
    let last = try #require(MetricsHistory(path: "\(run)/metrics.jsonl").last)
    #expect(page.contains("<b>\(String(format: "%.4f", last.loss))</b>"))
    let start = try #require(RunStart.all(in: "\(run)/starts.jsonl").starts.first)
    #expect(start.totalSteps == 4 && start.people == 3 && start.images == 12 && start.ranks == 1)
    #expect(page.contains(Libraries.kernels))
    #expect(start.libraries == LibraryVersion.loaded)
    for library in LibraryVersion.all {
      #expect(page.contains("<th scope=\"row\">\(library.name)</th><td>\(library.loaded)</td>"), "\(library)")
    }
    #expect(page.contains(start.date) && page.contains("4 of 4 steps, 12 images of 3 people"))
    // Pictures and names of people only where they are asked for.
    #expect(!page.contains("data:image") && !page.contains(".pgm") && !page.contains("id=\"people\""))
    try confusedPeople(run)
  }

  /// The false accepts of the matrix are those of the pairs that `evaluate` writes, on two ranks too.
  private func confusedPeople(_ run: String) throws {
    let (page, pairs) = ("\(runs)/people.html", "\(runs)/pairs.csv")
    // One person under two names is surely taken for another.
    for image in 0..<2 {
      try faces.write(FaceFolder.pgm(person: 0, image: 20 + image, side: 48), to: FaceFolder.name(90, image))
    }
    let made = try Subprocess.cosface(
      [
        "report", run, "--data", faces.path, "--confused-people", "4", "--pictures", "0", "--raw-pixels", "--output",
        page,
      ], ranks: 2)
    #expect(made.exitCode == 0, "\(made.text)")
    let evaluated = try Subprocess.cosface(
      ["evaluate", "--model", run, "--data", faces.path, "--json", "--raw-pixels", "--output", pairs])
    // Between a warning that the model knows these people and whatever else.
    let lines = evaluated.lines.drop { $0 != "{" }.prefix { $0 != "}" } + ["}"]
    let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(lines.joined(separator: "\n").utf8))
    let html = try text(page)
    #expect(
      html.contains(String(format: "raw pixels: equal error rate %.2f %%.", 100 * report.rawPixels!.equalErrorRate)))
    var (accepted, compared) = ([[String]: Int](), [[String]: Int]())
    for line in try text(pairs).split(separator: "\n").dropFirst() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      guard fields[2] == "0", let cosine = Double(fields[4]) else { continue }
      let people = fields[..<2].map { String($0.prefix { $0 != "/" }) }.sorted()
      compared[people, default: 0] += 1
      if cosine >= report.verification.best.threshold { accepted[people, default: 0] += 1 }
    }
    let rows = html.matches(of: /<th scope="row">(p[0-9]+) and (p[0-9]+)<\/th><td>([0-9]+)<\/td><td>([0-9]+)<\/td>/)
    #expect(!rows.isEmpty)
    for row in rows {
      let people = [String(row.1), String(row.2)].sorted()
      #expect(Int(row.3) == accepted[people] && Int(row.4) == compared[people], "\(people)")
    }
    #expect(rows.first.flatMap { Int($0.3) } == accepted.values.max())
    let all = accepted.values.reduce(0, +)
    #expect(html.contains("\(all) of \(compared.values.reduce(0, +)) pairs of different people are accepted"))
    #expect(!html.contains("data:image"))
  }

  @Test func picturesOfTheHardestPairs() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    try train("first")
    try train("second", ["--margin", "0.2", "--no-tensorboard"])
    let output = "\(runs)/both.html"
    let outcome = try Subprocess.cosface(
      ["report", "\(runs)/first", "\(runs)/second", "--data", faces.path, "--pictures", "2", "--output", output])
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let page = try text(output)
    let pictures = page.matches(of: /<img src="data:image\/png;base64,([^"]+)" alt="(p[0-9]+\/[0-9]+\.pgm)"/)
    #expect(pictures.count == 2 * 2 * 2 * 2)
    let first = try #require(pictures.first)
    let png = try #require(Data(base64Encoded: String(first.1)))
    #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    #expect(page.contains("3 of the people") && page.contains("first: the same person, cosine"))
    #expect(page.contains("tr class=\"different\"><th scope=\"row\">--margin "))
    // Without an evaluation there is none of it, and the page is small.
    #expect(try Subprocess.cosface(["report", "\(runs)/first", "--no-evaluation"]).exitCode == 0)
    #expect(try !text("\(runs)/first/report.html").contains("id=\"verification\""))
  }

  /// Where the page cannot go is found before the models are evaluated; what is damaged is told on the terminal, too.
  @Test func whatIsWrongIsToldInTime() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    try train("run")
    for (output, reason) in [("\(runs)/none/page.html", "Check that the path exists"), (runs, "Is a directory")] {
      let refused = try Subprocess.cosface(["report", "\(runs)/run", "--data", "\(runs)/no", "--output", output])
      #expect(refused.exitCode == 1 && refused.text.contains(reason), "\(refused.text)")
    }
    let starts = "\(runs)/run/starts.jsonl"
    try (text(starts) + "{\n").write(toFile: starts, atomically: true, encoding: .utf8)
    let noted = try Subprocess.cosface(["report", "\(runs)/run", "--no-evaluation"])
    #expect(noted.exitCode == 0)
    #expect(noted.text.contains("warning: \(runs)/run: starts.jsonl has 1 lines that cannot be read."), "\(noted.text)")
    #expect(try text("\(runs)/run/report.html").contains("starts.jsonl has 1 lines"))
  }

  /// The system's own reason, not a guess.
  @Test func aFolderThatCannotBeMade() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    try Data().write(to: URL(fileURLWithPath: runs))
    let refused = try Subprocess.cosface(["train", "--data", faces.path, "--output", "\(runs)/a/run", "--steps", "1"])
    #expect(refused.exitCode == 1)
    #expect(refused.text.contains("Cannot make the run's folder '\(runs)/a'"), "\(refused.text)")
    #expect(refused.text.contains("A part of the path is a file where a folder is needed."), "\(refused.text)")
  }

  @Test(arguments: [1, 2]) func refusals(ranks: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    try FileManager.default.createDirectory(atPath: runs, withIntermediateDirectories: true)
    let nothing = try Subprocess.cosface(["report", runs], ranks: ranks)
    #expect(nothing.exitCode != 0 && nothing.text.contains("\(runs) holds no run"), "\(nothing.text)")
    try Data("{}\n".utf8).write(to: URL(fileURLWithPath: "\(runs)/metrics.jsonl"))
    let nowhere = try Subprocess.cosface(["report", runs, "--output", "/nowhere/page.html"], ranks: ranks)
    #expect(nowhere.exitCode != 0 && nowhere.text.contains("/nowhere/page.html"), "\(nowhere.text)")
    for outcome in [nothing, nowhere] {
      #expect(outcome.lines.filter { $0.hasPrefix("Error:") }.count == 1, "\(outcome.text)")
    }
  }
}
