import Datasets
import Inference

/// Accuracy on pairs that did not choose the threshold: each fold is evaluated at the best threshold of all the others.
///
/// For folds f = 1...F with balanced accuracies p_f (see `OperatingPoint`), as LFW prescribes (Huang et al., UMass Amherst TR 07-49, 2007, section IV):
///
///     mean = sum p_f / F   standardDeviation = sqrt(sum (p_f - mean)^2 / (F - 1))   standardError = standardDeviation / sqrt(F)
///
/// (`numpy.std`, which InsightFace prints behind its accuracies, divides by F.)
package struct CrossValidation: Codable, Equatable, Sendable {
  package let mean: Double
  package let standardDeviation: Double
  package let standardError: Double
  /// p_f and the threshold that each fold was evaluated at.
  package let accuracies: [Double]
  package let thresholds: [Double]
  /// At FAR 1e-3; nil where the other folds have fewer than a thousand pairs of different people.
  package let validationRate: ValidationRate?
  /// Where the folds are prescribed.
  package let insightFace: InsightFaceAccuracy?
  /// Whether the pairs came with their folds, as LFW's and those of a .bin do. Folds that are assigned share people and images, so
  /// their figure is milder than a prescribed one.
  package let prescribed: Bool

  /// Where there is no `obstacle`, and two folds or more. Every rank that shares the scores calls it.
  package init(of scores: RankedScores, prescribed: Bool) throws {
    precondition(scores.foldCount >= 2, "Cross validation over \(scores.foldCount) folds")
    thresholds = try scores.bestCuts(excluding: Array(0..<scores.foldCount)).map(\.threshold)
    let least = thresholds.map(CosineStep.least)
    let right = try scores.count { ($0.steps >= least[$0.fold]) == $0.same }
    accuracies = zip(right, scores.folds).map { $0.balancedAccuracy(of: $1) }
    let count = Double(scores.foldCount)
    (mean, standardDeviation) = accuracies.meanAndDeviation
    standardError = standardDeviation / count.squareRoot()
    validationRate = try ValidationRate(of: scores, perDifferentPairs: 1000)
    insightFace = prescribed ? try InsightFaceAccuracy(of: scores) : nil
    self.prescribed = prescribed
  }

  /// The folds that the marks of pairs name.
  package struct Folds: Equatable, Sendable {
    package let count: Int
    /// See `CrossValidation.prescribed`.
    package let prescribed: Bool

    /// - Parameter count: of those that came with the pairs, two or more.
    package static func prescribed(_ count: Int) -> Folds { Folds(count: count, prescribed: true) }

    /// Those that a `FoldAssignment` makes.
    package static let assigned = Folds(count: FoldAssignment.foldCount, prescribed: false)
  }

  /// Why there is no cross validation; nil where there can be one.
  static func obstacle(_ scores: RankedScores, _ folds: Folds) -> String? {
    let needed = FoldAssignment.foldCount
    guard folds.prescribed || min(scores.sameCount, scores.differentCount) >= needed else {
      return "ten folds need ten pairs of each kind, there are \(scores.sameCount) of the same person and "
        + "\(scores.differentCount) of different people"
    }
    guard let fold = scores.folds.firstIndex(where: { $0.same == 0 || $0.different == 0 }) else { return nil }
    return
      "accuracy needs pairs of both kinds, fold \(fold + 1) of \(folds.count) has \(scores.folds[fold].same) of the "
      + "same person and \(scores.folds[fold].different) of different people"
  }
}

extension [Double] {
  /// The mean, and the deviation that divides by one less than the count.
  var meanAndDeviation: (mean: Double, deviation: Double) {
    let mean = reduce(0, +) / Double(count)
    let squares = reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / Double(count - 1)).squareRoot())
  }
}
