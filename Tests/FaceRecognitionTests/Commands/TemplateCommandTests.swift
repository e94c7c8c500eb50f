import Evaluation
import Foundation
import Inference
import NeuralNetwork
import TestSupport
import Testing
import Weights

/// `cosface evaluate --templates` as a person meets it: figures from the embeddings that `embed` writes.
@Suite(.serialized) struct TemplateCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder
  private let model: String
  /// Two templates of each of six people: images 0, 1, 2 in two media, and image 3.
  private let members: [(image: String, template: Int, medium: Int)]

  init() throws {
    faces = try FaceFolder(people: 6, images: 4)
    files = try TemporaryFolder()
    model = files["model.safetensors"]
    let network = NetworkKind.spherenet20.makeNetwork(embeddingWidth: 32, inputSide: 16)
    network.initialize(seed: 4)
    try ModelFile.write(
      network, classWeight: nil, ModelDescription(network: .spherenet20, embeddingWidth: 32, inputSide: 16), to: model)
    members = (0..<24).map { i in
      (FaceFolder.name(i / 4, i % 4), i / 4 * 2 + (i % 4 == 3 ? 1 : 0), i % 4 == 2 ? 8 : 7)
    }
    try write("tid_mid.txt", members.map { "\($0.image) \($0.template) \($0.medium)" })
    try write("scores.txt", members.indices.map { "\(members[$0].image) 1 2 3 4 5 6 7 8 9 10 \(score($0))" })
    try write(
      "pairs.txt",
      (0..<12).flatMap { a in ((a + 1)..<12).map { "\(a) \($0) \(a / 2 == $0 / 2 ? 1 : 0)" } })
    // People 0, 1, 2 and 3, 4; nobody has person 5.
    try write("G1.csv", ["TEMPLATE_ID,SUBJECT_ID"] + (0..<3).map { "\(2 * $0),\($0)" })
    try write("G2.csv", ["TEMPLATE_ID,SUBJECT_ID"] + (3..<5).map { "\(2 * $0),\($0)" })
    try write("probes.csv", ["TEMPLATE_ID,SUBJECT_ID"] + (0..<6).map { "\(2 * $0 + 1),\($0)" })
  }

  private func score(_ image: Int) -> Double { Double(1 + image * 5 % 8) / 8 }

  private func write(_ name: String, _ lines: [String]) throws {
    try files.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: name)
  }

  private func evaluate(_ arguments: [String], ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(
      ["evaluate", "--model", model, "--data", faces.path, "--templates", files["tid_mid.txt"]] + arguments,
      ranks: ranks)
  }

  private var search: [String] {
    ["--gallery-templates", files["G1.csv"], files["G2.csv"], "--probe-templates", files["probes.csv"]]
  }

  private func decode<Report: Decodable>(_ outcome: Subprocess.Outcome) throws -> Report {
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    return try JSONDecoder().decode(Report.self, from: Data(outcome.text.utf8))
  }

  private func rows(_ name: String) throws -> [[String]] {
    try String(contentsOfFile: files[name], encoding: .utf8).split(separator: "\n").dropFirst().map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
  }

  /// The cosines of all templates, naively, from what `embed` writes.
  private func cosines(norm: Bool, weighted: Bool) throws -> [[Double]] {
    if !FileManager.default.fileExists(atPath: files["x.csv"]) {
      let embedded = try Subprocess.cosface([
        "embed", "--model", model, "--data", faces.path, "--output", files["x.csv"],
      ])
      #expect(embedded.exitCode == 0, "\(embedded.text)")
    }
    var vectors: [String: [Double]] = [:]
    for row in try rows("x.csv") { vectors[row[0]] = row.dropFirst().map { Double(Float($0)!) } }
    let templates = (0..<12).map { template in
      var sum = [Double](repeating: 0, count: 32)
      for medium in [7, 8] {
        let images = members.indices.filter { members[$0].template == template && members[$0].medium == medium }
        for image in images {
          let vector = vectors[members[image].image]!
          let length = norm ? 1 : vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
          let factor = (weighted ? score(image) : 1) / length / Double(images.count)
          for k in 0..<32 { sum[k] += factor * vector[k] }
        }
      }
      let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return sum.map { $0 / length }
    }
    return templates.map { a in templates.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
  }

  @Test func poolingAndScores() throws {
    var means: Set<Double> = []
    for (norm, weighted) in [(false, false), (false, true), (true, false), (true, true)] {
      let outcome = try evaluate(
        ["--pairs", files["pairs.txt"], "--json", "--output", files["scores.csv"], "--pooling", norm ? "norm" : "unit"]
          + (weighted ? ["--detector-scores", files["scores.txt"]] : []), ranks: weighted ? 2 : 1)
      let report: EvaluationReport = try decode(outcome)
      #expect(report.pooling == (norm ? .norm : .unit) && (report.detectorScores != nil) == weighted)
      let cosines = try cosines(norm: norm, weighted: weighted)
      let rows = try rows("scores.csv")
      #expect(rows.count == 66 && report.images == 24 && report.templates == 12)
      for row in rows { #expect(abs(cosines[Int(row[0])!][Int(row[1])!] - Double(row[4])!) < 1e-12) }
      means.insert(report.verification.sameScores.mean)
    }
    #expect(means.count == 4)
    let table = try evaluate(["--pairs", files["pairs.txt"], "--detector-scores", files["scores.txt"]])
    for words in ["unit vectors, weighted by \(files["scores.txt"])", "as insightface prints it", "  FAR 1e-06  "] {
      #expect(table.text.contains(words), "\(table.text)")
    }
  }

  @Test func searches() throws {
    let outcomes = try (1...3).map { ranks in
      try evaluate(search + ["--json", "--pooling", "norm", "--output", files["ranks\(ranks).csv"]], ranks: ranks)
    }
    let report: TemplateIdentificationReport = try decode(outcomes[0])
    let csv = try (1...3).map { try String(contentsOfFile: files["ranks\($0).csv"], encoding: .utf8) }
    for index in 1..<3 { #expect(outcomes[index].text == outcomes[0].text && csv[index] == csv[0]) }
    #expect(report.galleries.map(\.matedSearches) == [3, 2] && report.galleries.map(\.strangerSearches) == [3, 4])
    // Person 5 is in neither gallery.
    #expect(report.joined == nil && report.probeTemplates == 6 && report.images == 21)

    let cosines = try cosines(norm: true, weighted: false)
    var found = [0, 0]
    for row in try rows("ranks1.csv") {
      let (gallery, probe) = (row[0].hasSuffix("G1.csv") ? [0, 2, 4] : [6, 8], Int(row[1])!)
      let strangers = gallery.filter { $0 != probe - 1 }.map { cosines[probe][$0] }
      #expect(abs(strangers.max()! - Double(row[4])!) < 1e-12)
      guard gallery.contains(probe - 1) else {
        #expect(row[2].isEmpty && row[3].isEmpty)
        continue
      }
      let mate = cosines[probe][probe - 1]
      #expect(abs(mate - Double(row[3])!) < 1e-12 && Int(row[2]) == 1 + strangers.count { $0 >= mate })
      found[gallery.count - 2] += row[2] == "1" ? 1 : 0
    }
    #expect(report.galleries.map { $0.rates[0].found } == [found[1], found[0]])
    #expect(
      report.galleries[0].openSet[1].reason == "needs 10 searches for people who are not in the gallery, there are 3")
    let table = try evaluate(search + ["--detector-scores", files["scores.txt"]])
    for words in ["G1.csv", "searches, strangers", "insightface's TPIR at FPIR 0.01", "weighted by"] {
      #expect(table.text.contains(words), "\(table.text)")
    }
    // With all people in one gallery or the other, the two are one as well.
    try write("probes.csv", ["TEMPLATE_ID,SUBJECT_ID"] + (0..<5).map { "\(2 * $0 + 1),\($0)" })
    let closed: TemplateIdentificationReport = try decode(evaluate(search + ["--json"]))
    #expect(closed.joined?.templates == 5 && closed.joined?.rates[1].rate == 1)
  }

  @Test func refusals() throws {
    func refuse(_ arguments: [String], ranks: Int = 1, _ words: String...) throws {
      let outcome = try evaluate(arguments, ranks: ranks)
      #expect(outcome.exitCode != 0)
      for word in words { #expect(outcome.text.contains(word), "\(outcome.text)") }
      #expect(outcome.lines.count { $0.hasPrefix("Error: ") } == 1, "\(outcome.text)")
    }
    let pairs = ["--pairs", files["pairs.txt"], "--detector-scores"]
    try write("few.txt", ["p00/00.pgm 1"])
    try refuse(pairs + [files["few.txt"]], "few.txt: it has no score of", "p00/01.pgm")
    try write("wrong.txt", ["p00/00.pgm -0.5"])
    try refuse(pairs + [files["wrong.txt"]], "wrong.txt, line 1", "the score is '-0.5'")
    try write("zero.txt", members.map { "\($0.image) 0" })
    try refuse(pairs + [files["zero.txt"]], "Template 0 has no direction")
    try write("G2.csv", ["6,3", "7,3"])
    try refuse(search, "G2.csv: person 3 has two templates, 6 and 7")
    try write("G2.csv", ["6,nobody"])
    try refuse(search, ranks: 2, "G2.csv: nobody of the probes is in this gallery")
  }

  /// The threshold of an operating point, as `compare` then takes it.
  @Test func thresholdAtARate() throws {
    func keep(_ more: String...) throws -> Subprocess.Outcome {
      try Subprocess.cosface(
        ["evaluate", "--model", model, "--data", faces.path, "--json", "--keep-threshold"] + more)
    }
    func comparison() throws -> String {
      let photographs = [0, 1].map { "\(faces.path)/\(FaceFolder.name($0, 0))" }
      return try Subprocess.cosface(["compare", "--model", model] + photographs).text
    }
    // 36 pairs of the same people, 240 of others: at most 24 of these are accepted.
    let report: EvaluationReport = try decode(keep("--threshold-at", "0.1"))
    let rate = report.verification.acceptRates[0]
    let file = try String(contentsOfFile: files["threshold.json"], encoding: .utf8)
    let kept = try JSONDecoder().decode(VerificationThreshold.self, from: Data(file.utf8))
    #expect(kept.threshold == rate.threshold && kept.falseAcceptRate == 0.1)
    #expect(kept.trueAcceptRate == rate.trueAcceptRate && rate.reachedFalseAcceptRate! <= 0.1)
    #expect(rate.threshold != report.verification.best.threshold)
    let share = String(format: "%.2f %%", 100 * rate.trueAcceptRate!)
    let compared = try comparison()
    #expect(compared.contains("that of FAR 0.1 on 276 pairs of \(faces.path), where TAR is \(share)"), "\(compared)")
    let refused = try keep("--threshold-at", "1e-3")
    #expect(refused.exitCode != 0 && refused.text.contains("at FAR 0.001: it needs 1000 pairs"), "\(refused.text)")
    #expect(try String(contentsOfFile: files["threshold.json"], encoding: .utf8) == file)
    #expect(try keep().exitCode == 0)
    #expect(try comparison().contains("the best for 276 pairs of"))
  }
}
