extension Chart {
  static func precisionRecall(_ runs: [Evaluated]) -> Chart {
    let across = Axis(0...1, from: left, to: right, isTight: true)
    let up = Axis(0...1, from: bottom, to: top, isTight: true)
    let compares = runs.count > 1
    let drawn = runs.map { run in
      let points = run.evaluation.precisionRecall.drawing.map { (across.place($0.recall), up.place($0.precision)) }
      let best = run.evaluation.report.verification.best
      let dot = best.precision.map { Dot(x: text(across.place(best.recall)), y: text(up.place($0))) }
      return Line(name: run.name, number: run.number, points: join(points), area: nil, dots: dot.map { [$0] } ?? [])
    }
    let rows = runs.flatMap { run in
      run.evaluation.precisionRecall.drawing.thinned(to: 20).map { point in
        (
          title: (compares ? "\(run.name), " : "") + Figure.fixed(point.threshold, 4),
          cells: [Figure.percent(point.precision), Figure.percent(point.recall)]
        )
      }
    }
    return Chart(
      identifier: "chart-precision", heading: "Precision over recall",
      summary: runs.map { run in
        let best = run.evaluation.report.verification.best
        return (compares ? "\(run.name): " : "")
          + "precision \(best.precision.map(Figure.percent) ?? "-") and recall \(Figure.percent(best.recall)) "
          + "at the threshold \(Figure.fixed(best.threshold, 4)), where the dot is."
      }.joined(separator: " "),
      horizontalTitle: "recall",
      horizontalTicks: across.marks(), verticalTitle: "precision", verticalTicks: up.marks(), lines: drawn,
      hasLegend: compares,
      table: Table(
        caption: "Precision and recall", corner: "threshold", columns: ["precision", "recall"], rows: rows))
  }
}

extension Array {
  /// About `count` elements, evenly spread, the first and the last among them.
  fileprivate func thinned(to most: Int) -> [Element] {
    guard count > most else { return self }
    return (0..<most).map { self[$0 * (count - 1) / (most - 1)] }
  }
}
