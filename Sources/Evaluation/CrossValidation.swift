/// Accuracy on pairs that did not choose the threshold: each fold is evaluated at the best threshold of all the others.
///
/// For folds f = 1...F with accuracies p_f, as LFW prescribes (Huang et al., UMass Amherst TR 07-49, 2007, section IV):
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
  /// Whether the pairs came with their folds, as LFW's and those of a .bin do. Folds that `assignedFolds` makes share people and images, so
  /// their figure is milder than a prescribed one.
  package let prescribed: Bool

  /// Every fold must hold a pair, and there must be two folds or more.
  package init(of scores: RankedScores, prescribed: Bool) {
    precondition(scores.foldCount >= 2, "Cross validation over \(scores.foldCount) folds")
    thresholds = (0..<scores.foldCount).map { scores.bestCut(excluding: Int32($0)).threshold }
    var right = [Int](repeating: 0, count: scores.foldCount)
    var all = right
    for entry in scores.entries {
      let fold = Int(entry.fold)
      all[fold] += 1
      if (entry.score >= thresholds[fold]) == entry.same { right[fold] += 1 }
    }
    precondition(all.allSatisfy { $0 > 0 }, "A fold without a pair: the folds have \(all)")
    accuracies = zip(right, all).map { Double($0) / Double($1) }
    let count = Double(scores.foldCount)
    let mean = accuracies.reduce(0, +) / count
    let squares = accuracies.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    standardDeviation = (squares / (count - 1)).squareRoot()
    standardError = standardDeviation / count.squareRoot()
    self.prescribed = prescribed
  }

  /// The fold of each pair, 0..<`count`: those given (any numbers) where there are two or more, else ten assigned ones. Nil
  /// where there are too few pairs for these.
  package static func folds(
    given: [Int]?, same: [Bool]
  ) -> (folds: [Int], count: Int, prescribed: Bool)? {
    let labels = Set(given ?? []).sorted()
    guard let given, labels.count > 1 else { return assignedFolds(same: same).map { ($0, 10, false) } }
    let places = Dictionary(uniqueKeysWithValues: zip(labels, 0...))
    return (given.map { places[$0]! }, labels.count, true)
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
