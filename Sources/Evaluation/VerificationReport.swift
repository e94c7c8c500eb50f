package import Datasets
package import Inference
package import MPI
package import NeuralNetwork

/// How well scores tell pairs of the same person from pairs of different people.
///
/// Everything is computed from the ranked scores in whole numbers before the last division, in O(n log n) for n pairs;
/// the order of the pairs and their division among ranks play no part. As JSON, what is nil is left out.
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

  /// The same on every rank, whatever the division of the pairs among them.
  ///
  /// - Parameters:
  ///   - pairs: this rank's, in any order; their marks' folds are those of `folds`.
  ///   - group: the ranks that have the pairs, all of which call it; nil where this process has them all.
  /// - Throws: `EvaluationError`, on all ranks, where one kind of pair is missing.
  package init(_ pairs: consuming [ScoredPair], folds: CrossValidation.Folds, _ group: Communicator?) throws {
    let ranked = try RankedScores(pairs, foldCount: folds.count, group)
    let curve = try ROCCurve(of: ranked)
    (sameCount, differentCount) = (ranked.sameCount, ranked.differentCount)
    best = try OperatingPoint(ranked.bestCut(), of: ranked)
    crossValidationReason = CrossValidation.obstacle(ranked, folds)
    crossValidation =
      crossValidationReason == nil ? try CrossValidation(of: ranked, prescribed: folds.prescribed) : nil
    areaUnderCurve = try curve.area
    equalErrorRate = try curve.equalErrorRate
    acceptRates = try (1...6).map { try AcceptRate(exponent: $0, on: curve, differentCount: ranked.differentCount) }
    sameScores = try ranked.distribution(ofSame: true)
    differentScores = try ranked.distribution(ofSame: false)
    self.curve = try curve.drawing
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
