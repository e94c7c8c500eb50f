/// Ten folds for pairs that have none: the k-th pair of the same person falls into fold k mod 10, and so does the k-th
/// pair of different people.
///
/// ```swift
/// var folds = FoldAssignment()
/// let marks = pairs.map { folds.mark(same: $0.same) }
/// ```
package struct FoldAssignment: Equatable, Sendable {
  package static let foldCount = 10

  /// Pairs of the same person that have their folds.
  package private(set) var same: Int
  /// Pairs of different people that have theirs.
  package private(set) var different: Int

  /// Who has a part of the pairs alone begins with the counts of those before it.
  package init(afterSame same: Int = 0, different: Int = 0) { (self.same, self.different) = (same, different) }

  /// The mark of the next pair.
  package mutating func mark(same isSame: Bool) -> PairMark {
    defer { if isSame { same += 1 } else { different += 1 } }
    return PairMark(same: isSame, fold: (isSame ? same : different) % Self.foldCount)
  }
}
