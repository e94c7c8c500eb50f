extension ROCCurve {
  /// The point whose rate of false accepts is nearest to a given one; of two as near, the one that accepts more pairs.
  ///
  /// As InsightFace's `eval_ijbc.py` chooses it, among the points of scikit-learn's `roc_curve`. That leaves out a point
  /// where the step before adds as many pairs of each kind as the step behind: of false accepts in a row only the ends are
  /// left, so that the point's rate may lie well above or below the given one. O(log n), and the length of such rows.
  package func nearestPoint(to rate: Double) -> Point {
    // The last point at or below the rate that is kept, and behind it the last of those at the next rate.
    var low = 0
    var high = cuts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if point(cuts[middle]).falseAcceptRate <= rate { low = middle } else { high = middle }
    }
    while !isKept(low) { low -= 1 }
    while high < cuts.count, !isKept(high) { high += 1 }
    guard high < cuts.count else { return point(cuts[low]) }
    var next = high
    while next + 1 < cuts.count, cuts[next + 1].acceptedDifferent == cuts[high].acceptedDifferent {
      next += 1
      if isKept(next) { high = next }
    }
    let (below, above) = (point(cuts[low]), point(cuts[high]))
    return abs(above.falseAcceptRate - rate) <= abs(below.falseAcceptRate - rate) ? above : below
  }

  /// Whether scikit-learn's `drop_intermediate` leaves a point: the ends and (0, 0), and where the next step differs.
  private func isKept(_ place: Int) -> Bool {
    guard place > 1, place < cuts.count - 1 else { return true }
    let (before, here, behind) = (cuts[place - 1], cuts[place], cuts[place + 1])
    return behind.acceptedSame - here.acceptedSame != here.acceptedSame - before.acceptedSame
      || behind.acceptedDifferent - here.acceptedDifferent != here.acceptedDifferent - before.acceptedDifferent
  }
}
