import Datasets
import Evaluation

extension VerificationReport {
  /// `same[i]` is the truth about pair i, `folds[i]` its fold: any numbers. Ten folds are assigned where there are no two.
  init<S: BinaryFloatingPoint>(scores: [S], same: [Bool], folds: [Int]? = nil) throws {
    precondition(scores.count == same.count && folds.map { $0.count == same.count } ?? true)
    let labels = Set(folds ?? []).sorted()
    guard let folds, labels.count > 1 else {
      var assignment = FoldAssignment()
      let marks = same.map { assignment.mark(same: $0) }
      try self.init(ScoredPair.all(scores: scores.map(Double.init), marks: marks), folds: .assigned, nil)
      return
    }
    let numbers = Dictionary(uniqueKeysWithValues: zip(labels, 0...))
    let marks = zip(same, folds).map { PairMark(same: $0, fold: numbers[$1]!) }
    try self.init(ScoredPair.all(scores: scores.map(Double.init), marks: marks), folds: .prescribed(labels.count), nil)
  }
}
