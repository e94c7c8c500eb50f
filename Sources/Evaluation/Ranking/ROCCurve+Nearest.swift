extension ROCCurve {
  /// The point whose rate of false accepts is nearest to a given one; of two as near, the one that accepts more pairs.
  ///
  /// As InsightFace's `eval_ijbc.py` chooses it, among the points of scikit-learn's `roc_curve`. That leaves out a point
  /// where the step before adds as many pairs of each kind as the step behind: of false accepts in a row only the ends are
  /// left, so that the point's rate may lie well above or below the given one. O(log n), and the length of such rows.
  package func nearestPoint(to rate: Double) throws -> Point {
    // The last point at or below the rate that is kept, and behind it the last of those at the next rate.
    let place = scores.firstCut { rates($0).falseAccept > rate }
    let low = try cut(lastKept(before: place ?? scores.pairs.count + 1), of: scores.group.lastRank)
    let high = try cut(place.flatMap(firstKept), of: scores.group.firstRank)
    guard let low else { preconditionFailure("A curve without a first point") }
    guard let high else { return point(low) }
    let end = scores.firstCut { $0.different > high.acceptedDifferent }
    let last = lastKept(before: end ?? scores.pairs.count + 1) {
      scores.accepted(before: $0).different == high.acceptedDifferent
    }
    let (below, above) = (point(low), point(try cut(last, of: scores.group.lastRank) ?? high))
    return abs(above.falseAcceptRate - rate) <= abs(below.falseAcceptRate - rate) ? above : below
  }

  /// The cut at a place of one rank, which `choose` chooses of those that have one; nil where none has.
  private func cut(
    _ place: Int?, of choose: (_ has: Bool) throws -> Int?
  ) throws -> RankedScores.Cut? {
    guard let owner = try choose(place != nil) else { return nil }
    let isOwner = owner == scores.group.ownRank
    return try scores.shared([isOwner ? place.map { scores.cut(at: $0) } : nil])[0]
  }

  /// The place of this rank's last kept cut before `end`, if `condition` holds for it.
  private func lastKept(before end: Int, where condition: (Int) -> Bool = { _ in true }) -> Int? {
    var place =
      end > scores.pairs.count && scores.ownsEnd ? scores.pairs.count : tieBefore(min(end, scores.pairs.count))
    while let candidate = place, !isKept(candidate) { place = tieBefore(candidate) }
    return place.flatMap { condition($0) ? $0 : nil }
  }

  /// The place of this rank's first kept cut from that at `start` on.
  private func firstKept(from start: Int) -> Int? {
    var place = start
    while place < scores.pairs.count {
      if isKept(place) { return place }
      place = scores.tieEnd(of: place)
    }
    return scores.ownsEnd ? scores.pairs.count : nil
  }

  private func tieBefore(_ place: Int) -> Int? { place == 0 ? nil : scores.tieStart(of: place - 1) }

  /// Whether scikit-learn's `drop_intermediate` leaves a point: the ends and (0, 0), and where the next step differs.
  private func isKept(_ place: Int) -> Bool {
    guard place < scores.pairs.count, let before = step(before: place), !before.isFirst else { return true }
    return before.kinds != scores.kinds(in: place..<scores.tieEnd(of: place))
  }

  /// The step that leads to the cut at `place`.
  private func step(before place: Int) -> Step? {
    guard place > 0 else { return stepBefore }
    let start = scores.tieStart(of: place - 1)
    return Step(kinds: scores.kinds(in: start..<place), isFirst: start == 0 && stepBefore == nil)
  }
}
