import Datasets
package import Evaluation
import Foundation
import Inference

/// A run's model evaluated on pairs of images, with what a report draws of it.
package struct RunEvaluation: Sendable {
  /// Two images that were mistaken for one person, or for two, or nearly so.
  struct HardPair: Sendable {
    let same: Bool
    let score: Double
    let first: Picture
    let second: Picture
  }

  struct Picture: Sendable {
    let name: String
    /// "data:image/png;base64,..."
    let address: String
  }

  let report: EvaluationReport
  let scores: ScoreHistogram
  let precisionRecall: PrecisionRecallCurve
  /// Nil where nobody asks for them, and where the pairs do not say who is on their images.
  let confusedPeople: ConfusedPeople?
  /// Of people, by label.
  let names: [String]
  /// The hardest first.
  let hardPairs: [HardPair]

  /// - Parameters:
  ///   - scores: of the pairs that `report` tells of.
  ///   - same: which of them are of the same person.
  ///   - names: of all people by label; those of `confusedPeople` are shown.
  package init(
    _ report: EvaluationReport, scores: [Double], same: [Bool], confusedPeople: ConfusedPeople? = nil,
    names: [String] = []
  ) throws {
    try self.init(report, scores: scores, same: same, confusedPeople: confusedPeople, names: names, hardPairs: [])
  }

  private init(
    _ report: EvaluationReport, scores: [Double], same: [Bool], confusedPeople: ConfusedPeople?, names: [String],
    hardPairs: [HardPair]
  ) throws {
    self.report = report
    let kinds = zip(scores, same)
    self.scores = ScoreHistogram(same: kinds.filter(\.1).map(\.0), different: kinds.filter { !$0.1 }.map(\.0))
    precisionRecall = PrecisionRecallCurve(
      of: try RankedScores(
        ScoredPair.all(scores: scores, marks: same.lazy.map { PairMark(same: $0) }), foldCount: 1, nil))
    (self.confusedPeople, self.names, self.hardPairs) = (confusedPeople, names, hardPairs)
  }

  /// - Parameters:
  ///   - evaluation: of a model.
  ///   - result: with the pairs of all ranks.
  ///   - pictures: pairs of each kind to show; 0 for none.
  ///   - confusedPeople: the most people to count false accepts of; 0 for none.
  package init(
    _ evaluation: Evaluation, _ result: VerificationResult, _ report: EvaluationReport, pictures: Int,
    confusedPeople: Int
  ) throws {
    let (verification, source) = (evaluation.verification, evaluation.verification.source)
    let countsPeople = confusedPeople > 0 && verification.knowsPeople
    try self.init(
      report, scores: result.scores, same: result.pairs.map(\.same),
      confusedPeople: countsPeople
        ? ConfusedPeople(
          result.pairs, scores: result.scores, threshold: report.verification.best.threshold, most: confusedPeople,
          label: source.label) : nil,
      names: countsPeople ? source.classNames.map(\.text) : [],
      hardPairs: try Self.hardPairs(result, of: source, side: report.inputSide ?? RawPixels.side, count: pictures))
  }

  /// Of pairs of the same person those with the lowest scores, of others those with the highest.
  private static func hardPairs(
    _ result: VerificationResult, of source: any ImageSource, side: Int, count: Int
  ) throws -> [HardPair] {
    guard count > 0 else { return [] }
    let ranked = result.scores.indices.sorted { result.scores[$0] < result.scores[$1] }
    let same = ranked.lazy.filter { result.pairs[$0].same }.prefix(count)
    let different = ranked.lazy.reversed().filter { !result.pairs[$0].same }.prefix(count)
    let reader = SampleReader(source, side: side)
    return try (Array(same) + Array(different)).map { index in
      let pair = result.pairs[index]
      return HardPair(
        same: pair.same, score: result.scores[index], first: try picture(of: pair.first, source, reader),
        second: try picture(of: pair.second, source, reader))
    }
  }

  /// The image as the network saw it.
  private static func picture(of sample: Int, _ source: any ImageSource, _ reader: SampleReader) throws -> Picture {
    let side = reader.side
    let planes = UnsafeMutableBufferPointer<Float>.allocate(capacity: 3 * side * side)
    defer { planes.deallocate() }
    try reader.read(sample, PixelTransform(), to: planes.baseAddress!)
    let grid = ImageGrid(UnsafeBufferPointer(planes), count: 1, side: side)
    return Picture(
      name: source.identifier(of: sample), address: "data:image/png;base64," + grid.png.base64EncodedString())
  }
}
