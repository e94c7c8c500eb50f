/// The receiver operating characteristic: every rate of true accepts that some threshold reaches, beside the rate of
/// false accepts that it costs.
///
/// Equal scores make one step, a slanted line: no order among them is assumed. The points are as many as the scores, and
/// no rank has them all: every rank calls what throws, and gets the same.
package struct ROCCurve: Sendable {
  package struct Point: Codable, Equatable, Sendable {
    package let threshold: Double
    package let falseAcceptRate: Double
    package let trueAcceptRate: Double
  }

  /// The pairs of one score on a rank before this one.
  struct Step {
    let kinds: PairCount
    /// Whether no score is higher.
    let isFirst: Bool
  }

  let scores: RankedScores
  /// The step that leads to this rank's first cut; nil where that is the curve's first point.
  let stepBefore: Step?

  package init(of scores: RankedScores) throws {
    self.scores = scores
    var own = [0, 0, 0]
    if let last = scores.pairs.indices.last {
      let start = scores.tieStart(of: last)
      let kinds = scores.kinds(in: start..<(last + 1))
      own = [start == 0 ? 1 : 2, kinds.same, kinds.different]
    }
    // Of each rank: whether it has no score, one or more; the kinds of the lowest.
    let ranks = try scores.group.gather(own)[..<scores.group.ownRank].filter { $0[0] > 0 }
    stepBefore = ranks.last.map { last in
      Step(kinds: PairCount(same: last[1], different: last[2]), isFirst: ranks.count == 1 && last[0] == 1)
    }
  }

  /// The area under the curve: the probability that a pair of the same person scores higher than one of different people,
  /// equal scores counted half. Exact but for one division: the statistic U of Mann and Whitney in whole numbers
  /// (Hanley and McNeil, Radiology 143(1), 1982).
  package var area: Double {
    get throws {
      // Twice the trapezoids' areas: (width of a step) (sum of its two heights).
      var twice = 0
      var accepted = scores.before.same
      scores.forEachTie { _, kinds in
        twice += kinds.different * (2 * accepted + kinds.same)
        accepted += kinds.same
      }
      let all = try scores.group.reduce([twice])[0]
      return Double(all) / (2 * Double(scores.sameCount) * Double(scores.differentCount))
    }
  }

  /// Where the rate of false accepts equals that of false rejects, on the straight line between the two points around it.
  package var equalErrorRate: Double {
    get throws {
      // The difference rises from -1 at (0, 0) to 1 at (1, 1), with every point.
      let place = scores.firstCut { difference($0) >= 0 }
      let owner = try scores.group.firstRank(where: place != nil)
      let rate = owner == scores.group.ownRank ? place.map(equalErrorRate) : nil
      let bits = try scores.group.shared(rate.map { [Int(bitPattern: UInt($0.bitPattern))] }, count: 1)
      return Double(bitPattern: UInt64(UInt(bitPattern: bits[0])))
    }
  }

  /// On the line to the cut at `place`.
  private func equalErrorRate(before place: Int) -> Double {
    let after = scores.accepted(before: place)
    var before = scores.before
    if place > 0 {
      before = scores.accepted(before: scores.tieStart(of: place - 1))
    } else if let stepBefore {
      before = before - stepBefore.kinds
    }
    let share = -difference(before) / (difference(after) - difference(before))
    let rates = (rates(before).falseAccept, rates(after).falseAccept)
    return rates.0 + share * (rates.1 - rates.0)
  }

  private func difference(_ accepted: PairCount) -> Double {
    let rates = rates(accepted)
    return rates.falseAccept - (1 - rates.trueAccept)
  }

  /// The last point whose false accepts are at most `count` pairs: the most true accepts for them.
  package func point(acceptingAtMost count: Int) throws -> Point { point(try cut(acceptingAtMost: count)) }

  package func cut(acceptingAtMost count: Int) throws -> RankedScores.Cut {
    try scores.shared([scores.lastCut(acceptingAtMost: count).map { scores.cut(at: $0) }])[0]
  }

  func point(_ cut: RankedScores.Cut) -> Point {
    let rates = rates(PairCount(same: cut.acceptedSame, different: cut.acceptedDifferent))
    return Point(threshold: cut.threshold, falseAcceptRate: rates.falseAccept, trueAcceptRate: rates.trueAccept)
  }

  func rates(_ accepted: PairCount) -> (falseAccept: Double, trueAccept: Double) {
    (
      Double(accepted.different) / Double(scores.differentCount), Double(accepted.same) / Double(scores.sameCount)
    )
  }
}
