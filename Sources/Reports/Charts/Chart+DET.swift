import Foundation

extension Chart {
  /// The detection error tradeoff: false rejects over false accepts, with a dot at the equal error rate.
  ///
  /// Both axes are logarithmic, as in NIST's reports on face verification (FRVT 1:1). Martin et al. (The DET curve in
  /// assessment of detection task performance, Eurospeech 1997) draw normal deviates, which leave little room for the
  /// small rates of faces.
  static func det(_ curves: [ErrorCurve]) -> Chart {
    let least = (accept: ErrorCurve.leastFalseAcceptRate(curves), reject: ErrorCurve.leastFalseRejectRate(curves))
    let points = curves.map { curve in
      let all = curve.points(from: least.accept).map { (accept: $0.falseAcceptRate, reject: 1 - $0.trueAcceptRate) }
      // 0 has no place: the curve leaves where it falls below the least rate, but for rounding.
      let end = all.firstIndex { $0.reject < least.reject * (1 - 1e-6) } ?? all.count - 1
      return all[...end]
    }
    let most = points.compactMap { $0.first?.reject }.max() ?? 1
    let across = Axis(logarithmic: least.accept...1, from: left, to: right)
    let up = Axis(
      logarithmic: least.reject...min(Axis.niceStep(max(most, 10 * least.reject)), 1), from: bottom, to: top)
    let compares = curves.count > 1
    return Chart(
      identifier: "chart-det", heading: "DET: false rejects over false accepts",
      summary: curves.map { curve in
        (compares ? "\(curve.name): " : "") + "equal error rate \(Figure.percent(curve.report.equalErrorRate))."
      }.joined(separator: " ") + " A dot marks it.",
      horizontalTitle: "rate of false accepts (FAR)", horizontalTicks: across.marks(),
      verticalTitle: "false rejects (FRR)", verticalTicks: up.marks(),
      lines: zip(curves, points).map { curve, points in
        let equal = curve.report.equalErrorRate
        let isInside = equal >= across.lower && (up.lower...up.upper).contains(equal)
        return Line(
          name: curve.name, number: curve.number,
          points: join(points.map { (across.place($0.accept), up.place($0.reject)) }), area: nil,
          dots: isInside ? [Dot(x: text(across.place(equal)), y: text(up.place(equal)))] : [])
      },
      hasLegend: compares,
      table: ErrorCurve.table(
        "Rate of false rejects (FRR) at a rate of false accepts (FAR)", "FRR", of: curves
      ) { Figure.percent(1 - $0) },
      gridTop: text(top))
  }
}
