package import Inference

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
  /// Whether the pairs came with their folds, as LFW's and those of a .bin do. Folds that `assignedFolds` makes share people and images, so
  /// their figure is milder than a prescribed one.
  package let prescribed: Bool

  /// Every fold must hold a pair of each kind, and there must be two folds or more.
  package init(of scores: RankedScores, prescribed: Bool) {
    precondition(scores.foldCount >= 2, "Cross validation over \(scores.foldCount) folds")
    thresholds = (0..<scores.foldCount).map { scores.bestCut(excluding: Int32($0)).threshold }
    var right = [PairCount](repeating: PairCount(), count: scores.foldCount)
    for entry in scores.entries where (entry.score >= thresholds[Int(entry.fold)]) == entry.same {
      right[Int(entry.fold)].add(entry.same)
    }
    accuracies = zip(right, scores.folds).map { $0.balancedAccuracy(of: $1) }
    let count = Double(scores.foldCount)
    (mean, standardDeviation) = accuracies.meanAndDeviation
    standardError = standardDeviation / count.squareRoot()
    validationRate = ValidationRate(of: scores, perDifferentPairs: 1000)
    insightFace = prescribed ? InsightFaceAccuracy(of: scores) : nil
    self.prescribed = prescribed
  }

  /// The fold of each pair.
  package struct Folds: Sendable {
    /// 0..<`count`, one a pair.
    package let places: [Int]
    package let count: Int
    package let prescribed: Bool
  }

  /// Those given (any numbers) where there are two or more, else ten assigned ones; the failure says why there are none.
  package static func folds(given: [Int]?, same: [Bool]) -> Result<Folds, EvaluationError> {
    let labels = Set(given ?? []).sorted()
    guard let given, labels.count > 1 else {
      if let places = assignedFolds(same: same) { return .success(Folds(places: places, count: 10, prescribed: false)) }
      let sameCount = same.count { $0 }
      return .failure(
        EvaluationError(
          "ten folds need ten pairs of each kind, there are \(sameCount) of the same person and "
            + "\(same.count - sameCount) of different people"))
    }
    let numbers = Dictionary(uniqueKeysWithValues: zip(labels, 0...))
    let places = given.map { numbers[$0]! }
    var counts = [PairCount](repeating: PairCount(), count: labels.count)
    for (place, same) in zip(places, same) { counts[place].add(same) }
    if let fold = counts.firstIndex(where: { $0.same == 0 || $0.different == 0 }) {
      return .failure(
        EvaluationError(
          "accuracy needs pairs of both kinds, fold \(fold + 1) of \(labels.count) has \(counts[fold].same) of the same person "
            + "and \(counts[fold].different) of different people"))
    }
    return .success(Folds(places: places, count: labels.count, prescribed: true))
  }

  /// Ten folds for pairs that have none: the k-th pair of the same person falls into fold k mod 10, and so does the k-th
  /// pair of different people. Nil where a kind has fewer than ten pairs.
  package static func assignedFolds(same: [Bool]) -> [Int]? {
    var counts = (same: 0, different: 0)
    let folds = same.map { same in
      defer { if same { counts.same += 1 } else { counts.different += 1 } }
      return (same ? counts.same : counts.different) % 10
    }
    return min(counts.same, counts.different) >= 10 ? folds : nil
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
