/// A threshold and how well it verifies.
///
/// Accuracy is balanced: the mean of both kinds' shares of right answers, so that its value does not hang on how many pairs of
/// each kind were drawn. With as many of both, as LFW has them, it is the share of right answers.
///
/// T, F = right and wrong answers; P, N = "same person" and "different people" answered
///
///     accuracy = (TP / (TP + FN) + TN / (TN + FP)) / 2   precision = TP / (TP + FP)   recall = TP / (TP + FN)   F1 = 2 TP / (2 TP + FP + FN)
package struct OperatingPoint: Codable, Equatable, Sendable {
  /// A pair is taken for the same person where score >= threshold.
  package let threshold: Double
  package let accuracy: Double
  /// Nil where nothing is accepted.
  package let precision: Double?
  package let recall: Double
  package let f1: Double
  package let truePositives: Int
  package let falsePositives: Int
  package let trueNegatives: Int
  package let falseNegatives: Int

  package init(_ cut: RankedScores.Cut, of scores: RankedScores) {
    threshold = cut.threshold
    truePositives = cut.acceptedSame
    falsePositives = cut.acceptedDifferent
    trueNegatives = scores.differentCount - falsePositives
    falseNegatives = scores.sameCount - truePositives
    let accepted = truePositives + falsePositives
    accuracy = PairCount(same: truePositives, different: trueNegatives).balancedAccuracy(
      of: PairCount(same: scores.sameCount, different: scores.differentCount))
    precision = accepted > 0 ? Double(truePositives) / Double(accepted) : nil
    recall = Double(truePositives) / Double(scores.sameCount)
    f1 = Double(2 * truePositives) / Double(accepted + scores.sameCount)
  }
}
