/// The receiver operating characteristic: every rate of true accepts that some threshold reaches, beside the rate of
/// false accepts that it costs.
///
/// Equal scores make one step, a slanted line: no order among them is assumed.
package struct ROCCurve: Sendable {
  package struct Point: Codable, Equatable, Sendable {
    package let threshold: Double
    package let falseAcceptRate: Double
    package let trueAcceptRate: Double
  }

  /// From (0, 0) to (1, 1).
  package let cuts: [RankedScores.Cut]
  private let sameCount: Int
  private let differentCount: Int

  package init(of scores: RankedScores) {
    var cuts: [RankedScores.Cut] = []
    scores.forEachCut { cuts.append($0) }
    self.cuts = cuts
    sameCount = scores.sameCount
    differentCount = scores.differentCount
  }

  /// Every point, by falling thresholds.
  package var points: [Point] { cuts.map(point) }

  /// The area under the curve: the probability that a pair of the same person scores higher than one of different people,
  /// equal scores counted half. Exact but for one division: the statistic U of Mann and Whitney in whole numbers
  /// (Hanley and McNeil, Radiology 143(1), 1982).
  package var area: Double {
    // Twice the trapezoids' areas: (width of a step) (sum of its two heights).
    var twice = 0
    for (left, right) in zip(cuts, cuts.dropFirst()) {
      twice += (right.acceptedDifferent - left.acceptedDifferent) * (right.acceptedSame + left.acceptedSame)
    }
    return Double(twice) / (2 * Double(sameCount) * Double(differentCount))
  }

  /// Where the rate of false accepts equals that of false rejects, on the straight line between the two points around it.
  package var equalErrorRate: Double {
    // The difference rises from -1 at (0, 0) to 1 at (1, 1), with every point.
    let points = cuts.map(point)
    let differences = points.map { $0.falseAcceptRate - (1 - $0.trueAcceptRate) }
    let after = differences.firstIndex { $0 >= 0 } ?? points.count - 1
    guard after > 0 else { return points[after].falseAcceptRate }
    let share = -differences[after - 1] / (differences[after] - differences[after - 1])
    let rate = (points[after - 1].falseAcceptRate, points[after].falseAcceptRate)
    return rate.0 + share * (rate.1 - rate.0)
  }

  /// The last point whose false accepts are at most `count` pairs: the most true accepts for them.
  package func point(acceptingAtMost count: Int) -> Point { point(cuts[lastCut(acceptingAtMost: count)]) }

  func cut(acceptingAtMost count: Int) -> RankedScores.Cut { cuts[lastCut(acceptingAtMost: count)] }

  private func lastCut(acceptingAtMost count: Int) -> Int {
    var low = 0
    var high = cuts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if cuts[middle].acceptedDifferent <= count { low = middle } else { high = middle }
    }
    return low
  }

  /// Points for a drawing, a few hundred of any curve: the ends, and each that lies 1/200 from the last one taken in
  /// either direction, or 5 % in the rate of false accepts or false rejects, so that logarithmic axes have their detail
  /// too. Those at which TAR at FAR 1e-1, 1e-2 ... 1e-6 is stated are among them.
  package var drawing: [Point] {
    let points = points
    var taken = [points[0]]
    let stated = Set([10, 100, 1000, 10_000, 100_000, 1_000_000].map { lastCut(acceptingAtMost: differentCount / $0) })
    for (index, next) in points.enumerated().dropFirst().dropLast() {
      let last = taken[taken.count - 1]
      let across = next.falseAcceptRate - last.falseAcceptRate
      let up = next.trueAcceptRate - last.trueAcceptRate
      if across >= 0.005 || up >= 0.005 || across > 0.05 * last.falseAcceptRate
        || up > 0.05 * (1 - last.trueAcceptRate) || stated.contains(index)
      {
        taken.append(next)
      }
    }
    return taken + points.suffix(1)
  }

  func point(_ cut: RankedScores.Cut) -> Point {
    Point(
      threshold: cut.threshold, falseAcceptRate: Double(cut.acceptedDifferent) / Double(differentCount),
      trueAcceptRate: Double(cut.acceptedSame) / Double(sameCount))
  }
}
