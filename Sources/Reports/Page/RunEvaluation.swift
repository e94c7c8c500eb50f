import Datasets
package import Evaluation
import Foundation

/// A run's model evaluated on pairs of images, with what a report draws of it.
package struct RunEvaluation: Sendable {
  /// Shares of the pairs of one kind, by score.
  struct ScoreHistogram: Sendable {
    /// From -1 to 1 in equal parts.
    let shares: [Double]

    static let parts = 50

    init(_ scores: [Double]) {
      var counts = [Int](repeating: 0, count: Self.parts)
      for score in scores { counts[min(max(Int((score + 1) / 2 * Double(Self.parts)), 0), Self.parts - 1)] += 1 }
      shares = counts.map { Double($0) / Double(max(scores.count, 1)) }
    }
  }

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
  let same: ScoreHistogram
  let different: ScoreHistogram
  let precisionRecall: PrecisionRecallCurve
  /// The hardest first.
  let hardPairs: [HardPair]

  /// - Parameter pictures: pairs of each kind to show; 0 for none.
  package init(_ evaluation: Evaluation, _ report: EvaluationReport, pictures: Int) throws {
    guard let result = evaluation.result else { preconditionFailure("A report of an evaluation that has not run") }
    self.report = report
    let truths = result.pairs.map(\.same)
    same = ScoreHistogram(zip(result.scores, truths).filter(\.1).map(\.0))
    different = ScoreHistogram(zip(result.scores, truths).filter { !$0.1 }.map(\.0))
    precisionRecall = PrecisionRecallCurve(
      of: try RankedScores(
        scores: result.scores, same: truths, folds: [Int](repeating: 0, count: truths.count), foldCount: 1))
    hardPairs = try Self.hardPairs(
      result, of: evaluation.verification.source, side: report.inputSide, count: pictures)
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
