extension Chart {
  typealias Evaluated = (number: Int, name: String, evaluation: RunEvaluation)

  /// The ROC curves over a logarithmic rate of false accepts, as papers draw those of IJB-B and IJB-C, with a dot where
  /// TAR at FAR is stated.
  static func roc(_ curves: [ErrorCurve]) -> Chart {
    let least = ErrorCurve.leastFalseAcceptRate(curves)
    let points = curves.map { $0.points(from: least) }
    let lowest = points.compactMap { $0.first?.trueAcceptRate }.min() ?? 0
    let across = Axis(logarithmic: least...1, from: left, to: right)
    // A tenth at least, so that a curve that is nearly perfect is not magnified to a mountain.
    let up = Axis(min(lowest, 0.9)...1, from: bottom, to: top)
    let compares = curves.count > 1
    return Chart(
      identifier: "chart-roc", heading: "ROC: true accepts over false accepts",
      summary: curves.map { curve in
        (compares ? "\(curve.name): " : "")
          + "area under the curve \(Figure.fixed(curve.report.areaUnderCurve, 4))."
      }.joined(separator: " ") + " Dots mark TAR at FAR 0.1, 0.01 and so on.",
      horizontalTitle: "rate of false accepts (FAR)", horizontalTicks: across.marks(),
      verticalTitle: "true accepts (TAR)", verticalTicks: up.marks(),
      lines: zip(curves, points).map { curve, points in
        let dots = curve.report.acceptRates.compactMap { rate in
          rate.trueAcceptRate.map { Dot(x: text(across.place(rate.falseAcceptRate)), y: text(up.place($0))) }
        }
        return Line(
          name: curve.name, number: curve.number,
          points: join(points.map { (across.place($0.falseAcceptRate), up.place($0.trueAcceptRate)) }), area: nil,
          dots: dots)
      },
      hasLegend: compares,
      table: ErrorCurve.table(
        "Rate of true accepts (TAR) at a rate of false accepts (FAR)", "TAR", of: curves, Figure.percent),
      gridTop: text(top))
  }
}
