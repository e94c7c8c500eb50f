import Datasets
import Evaluation
import Files
import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// `cosface evaluate` with long lists, and by rows that `cosface embed` wrote.
@Suite(.serialized) struct DividedVerificationTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder
  private var model: String { files["model.safetensors"] }

  init() throws {
    faces = try FaceFolder(people: 6, images: 4)
    files = try TemporaryFolder()
    try RandomModel.write(.spherenet20, to: files["model.safetensors"], seed: 4)
  }

  private func evaluate(_ arguments: String..., ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(["evaluate", "--model", model, "--data", faces.path] + arguments, ranks: ranks)
  }

  private func report(_ outcome: Subprocess.Outcome) throws -> EvaluationReport {
    try #require(outcome.exitCode == 0, "\(outcome.text)")
    let json = outcome.lines.drop { $0 != "{" }.joined(separator: "\n")
    return try JSONDecoder().decode(EvaluationReport.self, from: Data(json.utf8))
  }

  /// Each rank reads a part of the list and has a part of the embeddings; a pair's images are often elsewhere.
  @Test func aLongListIsDividedAmongRanks() throws {
    let count = 130_000
    let lines = (0..<count).map { number -> String in
      let (first, second) = (number * 7 % 24, number / 5 * 11 % 24)
      return "\(FaceFolder.name(first / 4, first % 4)) \(FaceFolder.name(second / 4, second % 4)) "
        + (first / 4 == second / 4 ? "1" : "0")
    }
    let list = try files.write(Data(lines.joined(separator: "\n").utf8), to: "long.txt")
    #expect(try TextBlocks(path: list).count >= 3)
    let outputs = (1...3).map { files["long\($0).csv"] }
    let outcomes = try (1...3).map { ranks in
      try evaluate("--json", "--pairs", list, "--batch-size", "5", "--output", outputs[ranks - 1], ranks: ranks)
    }
    let report = try report(outcomes[0])
    #expect(report.images == 24 && report.verification.sameCount + report.verification.differentCount == count)
    let scores = try outputs.map { try String(contentsOfFile: $0, encoding: .utf8) }
    for index in 1..<3 { #expect(outcomes[index].text == outcomes[0].text && scores[index] == scores[0]) }
    // In the list's order, with the folds of that order.
    var assignment = FoldAssignment()
    for (line, written) in zip(lines, scores[0].split(separator: "\n").dropFirst()) {
      let fields = line.split(separator: " ")
      let fold = assignment.mark(same: fields[2] == "1").fold
      guard !written.hasPrefix("\(fields[0]),\(fields[1]),\(fields[2]),\(fold),") else { continue }
      Issue.record("\(written) is written for \(line)")
      break
    }
    // Every pair of two images has one score.
    #expect(
      Set(
        scores[0].split(separator: "\n").dropFirst().map { line in
          let fields = line.split(separator: ",")
          return "\(fields[0]) \(fields[1]) \(fields[4])"
        }
      ).count == Set(lines).count)
  }

  /// Rows that `embed` wrote give the network's figures, with pairs of all kinds and on any number of ranks; no image is
  /// read, and none need be there.
  @Test func storedEmbeddingsInPlaceOfAModel() throws {
    let rows = files["rows.safetensors"]
    let embed = try Subprocess.cosface(["embed", "--model", model, "--data", faces.path, "--output", rows])
    #expect(embed.exitCode == 0, "\(embed.text)")
    func stored(_ arguments: String..., data: String, ranks: Int = 1) throws -> EvaluationReport {
      try report(
        Subprocess.cosface(["evaluate", "--embeddings", rows, "--json", "--data", data] + arguments, ranks: ranks))
    }
    let network = try report(evaluate("--json"))
    let found = try stored(data: faces.path)
    #expect(found.verification == network.verification && found.images == 24 && found.flip == .sum)
    #expect(found.model == nil && found.embeddings == [rows] && found.network == nil && found.inputSide == nil)
    #expect(found.embeddingWidth == 32 && found.people == 6)
    let list = try files.write(
      Data("p00/00.pgm p00/01.pgm 1\np01/03.pgm p02/02.pgm 0\np05/01.pgm p05/02.pgm 1\n".utf8), to: "few.txt")
    let named = try report(evaluate("--json", "--pairs", list))
    for ranks in [1, 3] {
      // Nothing is there.
      let rooted = try stored("--pairs", list, data: "/absent", ranks: ranks)
      #expect(rooted.verification == named.verification && rooted.images == 6)
    }
    let table = try Subprocess.cosface(["evaluate", "--embeddings", rows, "--data", faces.path])
    #expect(table.text.contains("files       \(rows): embedding 32"), "\(table.text)")
    let unknown = try files.write(Data("p00/00.pgm p00/01.pgm 1\np01/03.pgm p09/02.pgm 0\n".utf8), to: "other.txt")
    let refused = try Subprocess.cosface(["evaluate", "--embeddings", rows, "--data", "/absent", "--pairs", unknown])
    #expect(refused.exitCode == 1 && refused.text.contains("p09/02.pgm"), "\(refused.text)")
    let idle = try Subprocess.cosface(["evaluate", "--embeddings", rows, "--data", faces.path, "--raw-pixels"])
    #expect(idle.exitCode == 64 && idle.text.contains("--raw-pixels is of no use with --embeddings"), "\(idle.text)")
  }
}
