import VectorKernels

extension Chart {
  typealias Evaluated = (number: Int, name: String, evaluation: RunEvaluation)

  /// The ROC curves over a logarithmic rate of false accepts, with a dot where TAR at FAR is stated.
  static func roc(_ runs: [Evaluated]) -> Chart {
    let verifications = runs.map(\.evaluation.report.verification)
    let pairs = verifications.map(\.differentCount).max() ?? 10
    let decades = (1...6).first { exponent in powerOfTen(exponent) >= pairs } ?? 6
    let across = Axis(powersOfTen: -decades...0, from: left, to: right)
    let up = Axis(0...1, from: bottom, to: top, isTight: true)
    let drawn = runs.map { run in
      let report = run.evaluation.report.verification
      let points = report.curve.map { (across.place($0.falseAcceptRate), up.place($0.trueAcceptRate)) }
      let dots = report.acceptRates.compactMap { rate in
        rate.trueAcceptRate.map { Dot(x: text(across.place(rate.falseAcceptRate)), y: text(up.place($0))) }
      }
      return Line(name: run.name, number: run.number, points: join(points), area: nil, dots: dots)
    }
    let rates = verifications.first?.acceptRates.map(\.falseAcceptRate) ?? []
    let rows = rates.indices.map { index in
      (
        title: Figure.short(rates[index]),
        cells: verifications.map { $0.acceptRates[index].trueAcceptRate.map(Figure.percent) ?? "too few pairs" }
      )
    }
    return Chart(
      identifier: "chart-roc", heading: "ROC: true accepts over false accepts",
      summary: runs.map { run in
        (runs.count > 1 ? "\(run.name): " : "")
          + "area under the curve \(Figure.fixed(run.evaluation.report.verification.areaUnderCurve, 4))."
      }.joined(separator: " ") + " Dots mark TAR at FAR 0.1, 0.01 and so on.",
      horizontalTitle: "rate of false accepts (FAR)",
      horizontalTicks: across.ticks.map { Tick(place: text(across.place($0)), text: Figure.short($0)) },
      verticalTicks: up.ticks.map { Tick(place: text(up.place($0)), text: Figure.short($0)) }, lines: drawn, marks: [],
      hasLegend: runs.count > 1,
      table: Table(
        caption: "Rate of true accepts (TAR) at a rate of false accepts (FAR)", corner: "FAR",
        columns: runs.map { runs.count > 1 ? $0.name : "TAR" }, rows: rows))
  }

  static func precisionRecall(_ runs: [Evaluated]) -> Chart {
    let across = Axis(0...1, from: left, to: right, isTight: true)
    let up = Axis(0...1, from: bottom, to: top, isTight: true)
    let drawn = runs.map { run in
      let points = run.evaluation.precisionRecall.drawing.map { (across.place($0.recall), up.place($0.precision)) }
      let best = run.evaluation.report.verification.best
      let dot = best.precision.map { Dot(x: text(across.place(best.recall)), y: text(up.place($0))) }
      return Line(name: run.name, number: run.number, points: join(points), area: nil, dots: dot.map { [$0] } ?? [])
    }
    let rows = runs.flatMap { run in
      run.evaluation.precisionRecall.drawing.thinned(to: 20).map { point in
        (
          title: (runs.count > 1 ? "\(run.name), " : "") + Figure.fixed(point.threshold, 4),
          cells: [Figure.percent(point.precision), Figure.percent(point.recall)]
        )
      }
    }
    return Chart(
      identifier: "chart-precision", heading: "Precision over recall",
      summary: runs.map { run in
        let best = run.evaluation.report.verification.best
        return (runs.count > 1 ? "\(run.name): " : "")
          + "precision \(best.precision.map(Figure.percent) ?? "-") and recall \(Figure.percent(best.recall)) "
          + "at the threshold \(Figure.fixed(best.threshold, 4)), where the dot is."
      }.joined(separator: " "),
      horizontalTitle: "recall",
      horizontalTicks: across.ticks.map { Tick(place: text(across.place($0)), text: Figure.short($0)) },
      verticalTicks: up.ticks.map { Tick(place: text(up.place($0)), text: Figure.short($0)) }, lines: drawn, marks: [],
      hasLegend: runs.count > 1,
      table: Table(
        caption: "Precision and recall", corner: "threshold", columns: ["precision", "recall"], rows: rows))
  }

  /// How the scores of the two kinds of pairs lie, and the threshold between them.
  static func scores(_ evaluation: RunEvaluation, name: String, number: Int, compares: Bool) -> Chart {
    let kinds = [("same person", evaluation.same), ("different people", evaluation.different)]
    let most = kinds.flatMap(\.1.shares).max() ?? 1
    let across = Axis(-1...1, from: left, to: right, isTight: true)
    let up = Axis(0...(100 * most), from: bottom, to: top)
    let width = 2 / Double(RunEvaluation.ScoreHistogram.parts)
    let drawn = kinds.enumerated().map { index, kind in
      let points = kind.1.shares.enumerated().flatMap { part, share in
        [0, 1].map { side in (across.place(-1 + Double(part + side) * width), up.place(100 * share)) }
      }
      let outline = [(left, bottom)] + points + [(right, bottom)]
      return Line(name: kind.0, number: index, points: join(points), area: join(outline), dots: [])
    }
    let report = evaluation.report.verification
    let threshold = report.best.threshold
    let rows = evaluation.same.shares.indices.filter { part in kinds.contains { $0.1.shares[part] > 0 } }.map { part in
      let low = -1 + Double(part) * width
      return (
        title: "\(Figure.fixed(low, 2)) to \(Figure.fixed(low + width, 2))",
        cells: kinds.map { Figure.percent($0.1.shares[part]) }
      )
    }
    return Chart(
      identifier: "chart-scores-\(number)", heading: "Cosines of pairs" + (compares ? ", \(name)" : ""),
      summary:
        "Pairs of the same person lie about \(Figure.fixed(report.sameScores.mean, 4)), pairs of different people "
        + "about \(Figure.fixed(report.differentScores.mean, 4)); the line is the best threshold, \(Figure.fixed(threshold, 4)).",
      horizontalTitle: "cosine; share of the pairs of a kind in %",
      horizontalTicks: across.ticks.map { Tick(place: text(across.place($0)), text: Figure.short($0)) },
      verticalTicks: up.ticks.map { Tick(place: text(up.place($0)), text: Figure.short($0)) }, lines: drawn,
      marks: [
        Mark(
          x: text(across.place(threshold)), number: 2, note: "threshold \(Figure.fixed(threshold, 3))",
          isNoteLeft: threshold > 0)
      ],
      hasLegend: true,
      table: Table(
        caption: "Share of pairs by cosine", corner: "cosine", columns: kinds.map(\.0), rows: rows))
  }

  static func join(_ points: [(Double, Double)]) -> String {
    points.map { text($0.0) + "," + text($0.1) }.joined(separator: " ")
  }

  private static func powerOfTen(_ exponent: Int) -> Int { (0..<exponent).reduce(1) { power, _ in power * 10 } }
}

extension Array {
  /// About `count` elements, evenly spread, the first and the last among them.
  fileprivate func thinned(to most: Int) -> [Element] {
    guard count > most else { return self }
    return (0..<most).map { self[$0 * (count - 1) / (most - 1)] }
  }
}
