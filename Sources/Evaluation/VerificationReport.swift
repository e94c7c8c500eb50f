package import Datasets
package import Inference
package import NeuralNetwork

/// How well scores tell pairs of the same person from pairs of different people.
///
/// Everything is computed from the ranked scores in whole numbers before the last division, in O(n log n) for n pairs;
/// the order of the pairs plays no part but in folds that must be assigned. As JSON, what is nil is left out.
package struct VerificationReport: Codable, Equatable, Sendable {
  package let sameCount: Int
  package let differentCount: Int
  /// At the threshold with the best accuracy on these very pairs (the lowest such threshold): an optimistic figure.
  package let best: OperatingPoint
  /// Accuracy at thresholds that other pairs chose.
  package let crossValidation: CrossValidation?
  /// Why there is no cross validation.
  package let crossValidationReason: String?
  /// The area under the ROC curve.
  package let areaUnderCurve: Double
  package let equalErrorRate: Double
  /// At FAR 1e-1, 1e-2 ... 1e-6.
  package let acceptRates: [AcceptRate]
  package let sameScores: Distribution
  package let differentScores: Distribution
  /// For a drawing: see `ROCCurve.drawing`.
  package let curve: [ROCCurve.Point]

  /// `same[i]` is the truth about pair i, `folds[i]` its fold, see `CrossValidation.folds`. Throws where a score is
  /// not finite or one kind of pair is missing.
  package init<S: BinaryFloatingPoint>(
    scores: [S], same: [Bool], folds: [Int]? = nil
  ) throws(EvaluationError) {
    let division = CrossValidation.folds(given: folds, same: same)
    let divided = try? division.get()
    let ranked = try RankedScores(
      scores: scores, same: same, folds: divided?.places ?? [Int](repeating: 0, count: same.count),
      foldCount: divided?.count ?? 1)
    let curve = ROCCurve(of: ranked)

    sameCount = ranked.sameCount
    differentCount = ranked.differentCount
    best = OperatingPoint(ranked.bestCut(), of: ranked)
    switch division {
    case .success(let folds):
      crossValidation = CrossValidation(of: ranked, prescribed: folds.prescribed)
      crossValidationReason = nil
    case .failure(let why): (crossValidation, crossValidationReason) = (nil, why.reason)
    }
    areaUnderCurve = curve.area
    equalErrorRate = curve.equalErrorRate
    let differentCount = differentCount
    acceptRates = (1...6).map { AcceptRate(exponent: $0, on: curve, differentCount: differentCount) }
    sameScores = Distribution(of: ranked.entries.filter(\.same).map(\.score))
    differentScores = Distribution(of: ranked.entries.filter { !$0.same }.map(\.score))
    self.curve = curve.drawing
  }
}

extension VerificationReport {
  /// The threshold that was best, for `network`, which was evaluated on `data`.
  package func threshold(data: String, flip: FlipTest, of network: Network) -> VerificationThreshold {
    VerificationThreshold(
      threshold: best.threshold, accuracy: best.accuracy, pairs: sameCount + differentCount, data: data, flip: flip,
      of: network)
  }
}
