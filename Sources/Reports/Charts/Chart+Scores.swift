import Foundation

extension Chart {
  /// How the scores of the two kinds of pairs lie, and the threshold between them.
  static func scores(_ run: Evaluated, compares: Bool) -> Chart {
    let (histogram, report) = (run.evaluation.scores, run.evaluation.report.verification)
    let kinds = [
      (name: "same person", counts: histogram.same, pairs: report.sameCount),
      (name: "different people", counts: histogram.different, pairs: report.differentCount),
    ]
    func share(_ count: Int, _ pairs: Int) -> Double { Double(count) / Double(pairs) }
    let threshold = report.best.threshold
    let most = kinds.map { share($0.counts.max() ?? 0, $0.pairs) }.max() ?? 1
    let across = Axis(
      min(histogram.start(of: 0), threshold)...max(histogram.end, threshold), from: left, to: right, isTight: true)
    let up = Axis(0...(100 * most), from: bottom, to: topBelowNotes)
    let lines = kinds.enumerated().map { number, kind in
      let parts = (kind.counts.firstIndex { $0 > 0 } ?? 0)...(kind.counts.lastIndex { $0 > 0 } ?? 0)
      let steps = parts.flatMap { part in
        [part, part + 1].map { end in
          (across.place(histogram.start(of: end)), up.place(100 * share(kind.counts[part], kind.pairs)))
        }
      }
      let outline = join([(steps[0].0, bottom)] + steps + [(steps[steps.count - 1].0, bottom)])
      return Line(name: kind.name, number: number, points: outline, area: outline, dots: [])
    }
    let digits = Int(log10(Double(histogram.partsPerUnit)).rounded(.up))
    let rows = histogram.same.indices.filter { part in kinds.contains { $0.counts[part] > 0 } }.map { part in
      (
        title: [part, part + 1].map { Figure.fixed(histogram.start(of: $0), digits) }.joined(separator: " to "),
        cells: kinds.flatMap { [$0.counts[part].grouped, Figure.percent(share($0.counts[part], $0.pairs))] }
      )
    }
    return Chart(
      identifier: "chart-scores-\(run.number)", heading: "Cosines of pairs" + (compares ? ", \(run.name)" : ""),
      summary:
        "Pairs of the same person lie about \(Figure.fixed(report.sameScores.mean, 4)), pairs of different people "
        + "about \(Figure.fixed(report.differentScores.mean, 4)); the line is the best threshold, "
        + "\(Figure.fixed(threshold, 4)).",
      horizontalTitle: "cosine", horizontalTicks: across.marks(), verticalTitle: "share of the pairs of a kind, %",
      verticalTicks: up.marks(), lines: lines,
      marks: [Mark(at: across.place(threshold), note: "threshold \(Figure.fixed(threshold, 3))")], hasLegend: true,
      table: Table(
        caption: "Pairs by cosine", corner: "cosine", columns: kinds.flatMap { [$0.name, "share"] }, rows: rows))
  }
}
