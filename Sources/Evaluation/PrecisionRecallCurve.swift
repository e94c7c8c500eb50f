/// What share of the accepted pairs is right (precision), beside the share of the pairs of the same person that is accepted
/// (recall), for every threshold.
package struct PrecisionRecallCurve: Equatable, Sendable {
  package struct Point: Equatable, Sendable {
    package let threshold: Double
    package let precision: Double
    package let recall: Double
  }

  /// For a drawing: a few hundred points of any curve, each 1/200 from the last in either direction.
  package let drawing: [Point]

  /// - Parameter scores: those of one process.
  package init(of scores: RankedScores) {
    precondition(scores.group.rankCount == 1, "Precision and recall of scores that several ranks share")
    var points: [Point] = []
    scores.forEachCut { cut in
      let accepted = cut.acceptedSame + cut.acceptedDifferent
      // Where nothing is accepted there is no precision.
      guard accepted > 0 else { return }
      let point = Point(
        threshold: cut.threshold, precision: Double(cut.acceptedSame) / Double(accepted),
        recall: Double(cut.acceptedSame) / Double(scores.sameCount))
      guard let last = points.last else { return points.append(point) }
      if point.recall - last.recall >= 0.005 || abs(point.precision - last.precision) >= 0.005 { points.append(point) }
    }
    drawing = points
  }
}
