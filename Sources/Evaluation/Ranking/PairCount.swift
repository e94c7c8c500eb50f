/// Pairs by kind.
package struct PairCount: Equatable, Sendable {
  package var same = 0
  package var different = 0

  package mutating func add(_ isSame: Bool) { if isSame { same += 1 } else { different += 1 } }

  static func += (a: inout PairCount, b: PairCount) {
    a.same += b.same
    a.different += b.different
  }

  static func - (a: PairCount, b: PairCount) -> PairCount {
    PairCount(same: a.same - b.same, different: a.different - b.different)
  }

  /// The mean of both kinds' shares of right answers, where this is how many of `all` were answered rightly. One constant answer
  /// has 1/2, however many pairs of each kind there are.
  package func balancedAccuracy(of all: PairCount) -> Double {
    precondition(all.same > 0 && all.different > 0, "Balanced accuracy over \(all)")
    return Double(same * all.different + different * all.same) / Double(2 * all.same * all.different)
  }
}
