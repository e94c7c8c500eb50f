import Inference

/// LFW's VAL at a FAR: the share of pairs of the same person that is accepted at a threshold which other pairs chose.
///
/// Each fold is evaluated at the lowest threshold at which all other folds have at most the given share of false accepts
/// (Schroff et al., FaceNet, CVPR 2015, section 4). InsightFace and facenet interpolate between two thresholds of a grid there,
/// which may accept more than the share; here it is never exceeded.
package struct ValidationRate: Codable, Equatable, Sendable {
  /// What the other folds may have at most.
  package let falseAcceptRate: Double
  package let mean: Double
  package let standardDeviation: Double
  /// What the folds themselves have at these thresholds, their mean.
  package let reachedFalseAcceptRate: Double

  /// At FAR 1 / `count`; nil where a fold's others have fewer pairs of different people than that.
  package init?(of scores: RankedScores, perDifferentPairs count: Int) throws {
    let others = scores.folds.map { scores.differentCount - $0.different }
    guard others.allSatisfy({ $0 >= count }) else { return nil }
    let cuts = try scores.cuts(acceptingAtMost: others.map { $0 / count }, excluding: 0..<scores.foldCount)
    let least = cuts.map { CosineStep.least(atOrAbove: $0.threshold) }
    let accepted = try scores.count { $0.steps >= least[$0.fold] }
    falseAcceptRate = 1 / Double(count)
    let folds = zip(accepted, scores.folds)
    (mean, standardDeviation) = folds.map { Double($0.same) / Double($1.same) }.meanAndDeviation
    reachedFalseAcceptRate = folds.map { Double($0.different) / Double($1.different) }.meanAndDeviation.mean
  }
}
