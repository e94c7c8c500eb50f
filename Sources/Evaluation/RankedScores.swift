package import Inference

/// Scores of pairs from the highest to the lowest, each with the truth about its pair.
///
/// A pair is accepted, that is taken for one of the same person, where score >= threshold. Only the cuts between unequal
/// scores can tell pairs apart; equal scores are accepted or refused together. The threshold of a cut lies in the middle
/// of the two scores beside it; it is the next number above the highest score where nothing is accepted, and the lowest
/// score where everything is.
package struct RankedScores: Sendable {
  package struct Entry: Sendable {
    package let score: Double
    package let same: Bool
    package let fold: Int32
  }

  /// A threshold and what it accepts.
  package struct Cut: Sendable, Equatable {
    package let threshold: Double
    /// Accepted pairs of the same person: the true positives.
    package let acceptedSame: Int
    /// Accepted pairs of different people: the false positives.
    package let acceptedDifferent: Int
  }

  package let entries: [Entry]
  package let sameCount: Int
  package let differentCount: Int
  package let foldCount: Int
  /// Pairs of each fold, by kind.
  let folds: [PairCount]

  /// `folds[i]` in 0..<`foldCount`.  O(n log n).
  package init<S: BinaryFloatingPoint>(
    scores: [S], same: [Bool], folds: [Int], foldCount: Int
  ) throws(EvaluationError) {
    precondition(
      scores.count == same.count && scores.count == folds.count,
      "\(scores.count) scores, \(same.count) truths, \(folds.count) folds")
    if let i = scores.firstIndex(where: { !$0.isFinite }) {
      throw EvaluationError("The score of pair \(i) (from 0) is \(scores[i]), not a finite number")
    }
    sameCount = same.count { $0 }
    differentCount = same.count - sameCount
    guard sameCount > 0, differentCount > 0 else {
      throw EvaluationError(
        "Verification needs pairs of the same person and of different people, "
          + "but there are \(sameCount) and \(differentCount)")
    }
    self.foldCount = foldCount
    var counts = [PairCount](repeating: PairCount(), count: foldCount)
    for (fold, same) in zip(folds, same) { counts[fold].add(same) }
    self.folds = counts
    var entries = scores.indices.map { Entry(score: Double(scores[$0]), same: same[$0], fold: Int32(folds[$0])) }
    entries.sort { $0.score > $1.score }
    self.entries = entries
  }

  /// Calls `body` with every cut from the highest threshold to the lowest; pairs of the fold `excluded` are left out.
  package func forEachCut(excluding excluded: Int32? = nil, _ body: (Cut) -> Void) {
    var previous: Double?
    var acceptedSame = 0
    var acceptedDifferent = 0
    for entry in entries where entry.fold != excluded {
      if entry.score != previous {
        body(
          Cut(
            threshold: previous.map { Self.between(entry.score, $0) } ?? entry.score.nextUp,
            acceptedSame: acceptedSame, acceptedDifferent: acceptedDifferent))
        previous = entry.score
      }
      if entry.same { acceptedSame += 1 } else { acceptedDifferent += 1 }
    }
    guard let previous else { return }
    body(Cut(threshold: previous, acceptedSame: acceptedSame, acceptedDifferent: acceptedDifferent))
  }

  /// The cut with the highest balanced accuracy; among equals that of the lowest threshold.
  package func bestCut(excluding excluded: Int32? = nil) -> Cut {
    let left = excluded.map { folds[Int($0)] } ?? PairCount()
    let (same, different) = (sameCount - left.same, differentCount - left.different)
    var best = Cut(threshold: 0, acceptedSame: 0, acceptedDifferent: 0)
    // Twice the balanced accuracy is acceptedSame / same + 1 - acceptedDifferent / different: compared in whole numbers.
    var most = Int.min
    forEachCut(excluding: excluded) { cut in
      let advantage = cut.acceptedSame * different - cut.acceptedDifferent * same
      if advantage >= most {
        most = advantage
        best = cut
      }
    }
    return best
  }

  /// The cut of the lowest threshold that accepts at most `count` pairs of different people.
  package func cut(acceptingAtMost count: Int, excluding excluded: Int32? = nil) -> Cut {
    var last = Cut(threshold: .infinity, acceptedSame: 0, acceptedDifferent: 0)
    forEachCut(excluding: excluded) { if $0.acceptedDifferent <= count { last = $0 } }
    return last
  }

  /// A number above `low` and at most `high`: also where no other number lies between them.
  private static func between(_ low: Double, _ high: Double) -> Double {
    let middle = low + (high - low) / 2
    return middle > low ? middle : high
  }
}

/// Pairs by kind.
package struct PairCount: Equatable, Sendable {
  package var same = 0
  package var different = 0

  package mutating func add(_ isSame: Bool) { if isSame { same += 1 } else { different += 1 } }

  /// The mean of both kinds' shares of right answers, where this is how many of `all` were answered rightly. One constant answer
  /// has 1/2, however many pairs of each kind there are.
  package func balancedAccuracy(of all: PairCount) -> Double {
    precondition(all.same > 0 && all.different > 0, "Balanced accuracy over \(all)")
    return Double(same * all.different + different * all.same) / Double(2 * all.same * all.different)
  }
}
