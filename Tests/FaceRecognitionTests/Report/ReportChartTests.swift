import Datasets
import Evaluation
import Foundation
import Reports
import Testing
import Training

/// Places and numbers of the charts of an evaluation, against the scores themselves.
struct ReportChartTests {
  private let folder: TemporaryFolder
  private let made = MadeUpEvaluation()

  init() throws { folder = try TemporaryFolder() }

  private func page(_ evaluations: RunEvaluation...) throws -> String {
    let records = try evaluations.indices.map { index in
      try folder.write(Data(), to: "run\(index)/metrics.jsonl")
      return try RunRecord(folder: RunFolder(folder["run\(index)"]))
    }
    return ReportPage(records, evaluations: evaluations).html
  }

  /// A chart's picture, legend and table.
  private func figure(_ identifier: String, in page: String) throws -> Substring {
    let start = try #require(page.range(of: "aria-labelledby=\"\(identifier)-title "))
    let end = try #require(page[start.upperBound...].range(of: "</figure>"))
    return page[start.lowerBound..<end.lowerBound]
  }

  /// The places of a figure's lines.
  private func lines(_ figure: Substring) -> [[[Double]]] {
    figure.matches(of: /<polyline class="line c[0-9]+" points="([^"]*)"/).map { match in
      match.1.split(separator: " ").map { $0.split(separator: ",").map { Double($0)! } }
    }
  }

  private func ticks(_ figure: Substring, anchor: String) -> [Substring] {
    figure.matches(of: /<text x="[0-9.]+" y="[0-9.]+"(?: dy="0.32em")? text-anchor="(end|middle)">(-?[0-9][0-9.e-]*)</)
      .filter { $0.1 == anchor }.map(\.2)
  }

  /// (false accepts, true accepts) at each of the scores as a threshold, and where nothing is accepted.
  private var cuts: [(accepted: Double, found: Double)] {
    [(0, 0)]
      + made.scores.sorted(by: >).map { threshold in
        (
          accepted: Double(made.different.count { $0 >= threshold }) / 100,
          found: Double(made.same.count { $0 >= threshold }) / 20
        )
      }
  }

  private func expect(
    _ line: [[Double]], _ places: [(Double, Double)], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(line.count == places.count, sourceLocation: sourceLocation)
    for (point, place) in zip(line, places) {
      #expect(
        abs(point[0] - place.0) < 0.06 && abs(point[1] - place.1) < 0.06, "\(point) \(place)",
        sourceLocation: sourceLocation)
    }
  }

  /// From one pair of 100 to all over two decades; true accepts from the least round number.
  @Test func rocHasALogarithmicAxis() throws {
    let figure = try figure("chart-roc", in: page(made.evaluation()))
    let drawn = cuts.filter { $0.accepted > 0 }
    let enter = try #require(cuts.last { $0.accepted == 0 })
    #expect(enter.found == 0.6)
    let places = ([enter] + drawn).map { cut in
      (54 + 338 * (log10(max(cut.accepted, 0.01)) + 2) / 2, 196 - 186 * (cut.found - 0.6) / 0.4)
    }
    expect(try #require(lines(figure).first), places)
    #expect(ticks(figure, anchor: "middle") == ["0.01", "0.1", "1"])
    #expect(ticks(figure, anchor: "end") == ["0.6", "0.7", "0.8", "0.9", "1"])
    #expect(figure.contains(String(format: "area under the curve %.4f.", try made.verification().areaUnderCurve)))
    // The dots: TAR at FAR 0.1 and 0.01.
    let dots = figure.matches(of: /<circle class="dot c0" cx="([0-9.]+)" cy="([0-9.]+)"/).map { ($0.1, $0.2) }
    #expect(dots.map(\.0) == ["223.0", "54.0"])
    let rates = [0.1, 0.01].map { limit in cuts.filter { $0.accepted <= limit }.map(\.found).max() ?? 0 }
    for (dot, rate) in zip(dots, rates) {
      #expect(abs(try #require(Double(dot.1)) - (196 - 186 * (rate - 0.6) / 0.4)) < 0.06)
    }
    for (title, rate) in zip(["0.1", "0.01"], rates) {
      #expect(figure.contains(String(format: "<th scope=\"row\">\(title)</th><td>%.2f %%</td>", 100 * rate)))
    }
    #expect(figure.contains("<th scope=\"row\">1e-6</th><td>too few pairs</td>"))
  }

  /// Both rates over logarithmic axes, down to one pair of each kind; where no pair is rejected the curve leaves.
  @Test func detHasTwo() throws {
    let figure = try figure("chart-det", in: page(made.evaluation()))
    let enter = try #require(cuts.last { $0.accepted == 0 })
    let drawn = cuts.filter { $0.accepted > 0 }
    let end = try #require(drawn.firstIndex { $0.found == 1 })
    let places = ([enter] + drawn[...end]).map { cut in
      (
        54 + 338 * (log10(max(cut.accepted, 0.01)) + 2) / 2,
        196 - 186 * log10(max(1 - cut.found, 0.05) / 0.05) / log10(0.5 / 0.05)
      )
    }
    expect(try #require(lines(figure).first), places)
    #expect(ticks(figure, anchor: "end") == ["0.05", "0.1", "0.2", "0.5"])
    let equal = try made.verification().equalErrorRate
    let dot = try #require(figure.firstMatch(of: /<circle class="dot c0" cx="([0-9.]+)" cy="([0-9.]+)"/))
    #expect(abs(try #require(Double(dot.1)) - (54 + 338 * (log10(equal) + 2) / 2)) < 0.06)
    #expect(abs(try #require(Double(dot.2)) - (196 - 186 * log10(equal / 0.05))) < 0.06)
    #expect(figure.contains(String(format: "equal error rate %.2f %%.", 100 * equal)))
  }

  /// A model without errors has nothing below one pair, and its charts are charts still.
  @Test func perfectScores() throws {
    let perfect = MadeUpEvaluation(same: [0.9, 0.8, 0.7], different: [0.1, 0.2, 0.3])
    let html = try page(perfect.evaluation())
    let roc = try figure("chart-roc", in: html)
    let line = try #require(lines(roc).first)
    #expect(line.allSatisfy { $0[1] == 10 } && line.last?[0] == 392)
    #expect(try lines(figure("chart-det", in: html)).map(\.count) == [1])
    #expect(!html.contains("nan") && !html.contains("inf"))
  }

  @Test func histogramsReachAsFarAsTheScores() throws {
    let figure = try figure("chart-scores-0", in: page(made.evaluation()))
    // start, end, pairs of the same person, their share, pairs of different people, their share
    let rows = figure.matches(of: /<th scope="row">(-?[0-9.]+) to (-?[0-9.]+)<\/th>([^\n]*)<\/tr>/).map { match in
      [match.1, match.2].map { Double($0)! } + match.3.matches(of: /<td>([0-9.]+)/).map { Double($0.1)! }
    }
    let (low, high) = (try #require(rows.first)[0], try #require(rows.last)[1])
    let (least, most) = (try #require(made.scores.min()), try #require(made.scores.max()))
    let width = rows[0][1] - rows[0][0]
    #expect(low <= least && least < low + width && most < high && high - width <= most)
    for row in rows {
      let same = made.same.count { $0 >= row[0] && $0 < row[1] }
      let different = made.different.count { $0 >= row[0] && $0 < row[1] }
      #expect(row[2] == Double(same) && row[4] == Double(different), "\(row)")
      #expect(row[3] == Double(5 * same) && row[5] == Double(different), "\(row)")
    }
    #expect(rows.reduce(0) { $0 + $1[2] } == 20 && rows.reduce(0) { $0 + $1[4] } == 100)
    // The tallest part reaches as high as its share says, and no line comes up to the threshold's note.
    let heights = lines(figure).map { line in line.map { $0[1] }.min() ?? 0 }
    let top = ticks(figure, anchor: "end").compactMap { Double($0) }.max() ?? 0
    for (height, share) in zip(heights, [3, 5].map { column in rows.map { $0[column] }.max() ?? 0 }) {
      #expect(abs(height - (196 - 170 * share / top)) < 0.06)
    }
    let mark = try #require(figure.firstMatch(of: /class="mark" x1="([0-9.]+)"[^>]*><text[^>]* y="15"[^>]*>([^<]*)</))
    let threshold = try made.verification().best.threshold
    #expect(mark.2 == String(format: "threshold %.3f", threshold) && heights.allSatisfy { $0 >= 26 })
    #expect(abs(try #require(Double(mark.1)) - (54 + 338 * (threshold - low) / (high - low))) < 0.06)
  }

  /// Equal scores, scores beside each other, and very many of them.
  @Test(arguments: [[0.5], [0.25, 0.25.nextUp], (0..<10_000).map { sin(Double($0)) }])
  func partsOfHistograms(same: [Double]) {
    let different = same.map { $0 - 0.0625 }
    let histogram = ScoreHistogram(same: same, different: different)
    #expect(histogram.same.count == histogram.different.count && (1...60).contains(histogram.same.count))
    #expect(histogram.same.reduce(0, +) == same.count && histogram.different.reduce(0, +) == same.count)
    let all = same + different
    #expect(histogram.start(of: 0) <= all.min()! && all.max()! <= histogram.end)
    #expect(histogram.same.last! > 0 && histogram.different.first! > 0)
  }

  /// The pixels' curve once where all runs share it, else under each run's name.
  @Test func pixelsBesideTheNetworks() throws {
    let pixels = try MadeUpEvaluation(same: made.different, different: made.same + made.same).verification()
    let other = try MadeUpEvaluation(same: made.different, different: made.same).verification()
    let shared = try page(made.evaluation(pixels: pixels), made.evaluation(pixels: pixels))
    for chart in ["chart-roc", "chart-det"] {
      let figure = try figure(chart, in: shared)
      let names = figure.matches(of: /<line class="line (c[0-9])"[^>]*\/><\/svg>([^<]*)</).map { "\($0.1) \($0.2)" }
      #expect(names == ["c0 run0", "c1 run1", "c6 raw pixels"])
      #expect(lines(figure).count == 3)
    }
    let apart = try page(made.evaluation(pixels: pixels), made.evaluation(pixels: other))
    #expect(try figure("chart-roc", in: apart).contains("</svg>run1, raw pixels<"))
  }

  /// Cells and names of the people who are taken for one another.
  @Test func confusedPeople() throws {
    let names = ["ann", "<b>\"bob\"</b>", "cy", String(repeating: "d", count: 30), "eve"]
    // Images 0 to 9, two of each person.
    let pairs = [(0, 2, 0.5), (1, 2, 0.75), (1, 3, 0.25), (6, 0, 0.5), (4, 0, 0.125), (8, 9, 0.9), (8, 4, 0.375)]
    let confused = ConfusedPeople(
      pairs.map { FacePair($0.0, $0.1, same: $0.0 / 2 == $0.1 / 2) }, scores: pairs.map(\.2), threshold: 0.375, most: 4
    ) { $0 / 2 }
    let html = try page(made.evaluation(confusedPeople: confused, names: names))
    #expect(html.contains("4 of 6 pairs of different people are accepted at the threshold 0.3750."))
    let short = String(repeating: "d", count: 19) + "\u{2026}"
    for (person, cells) in [
      ("1 ann", ["", "2", "1"]), ("2 &lt;b&gt;&quot;bob&quot;&lt;/b&gt;", ["2", "", "-"]),
      ("3 \(short)", ["1", "-", ""]),
    ] {
      let row = try #require(html.range(of: ">\(person)</th>"))
      let found = html[row.upperBound...].prefix { $0 != "\n" }.matches(of: />([^<]*)<\/td>/).map { String($0.1) }
      #expect(found == cells, "\(person)")
    }
    #expect(html.contains("ann and &lt;b&gt;&quot;bob&quot;&lt;/b&gt;: 2 of 3 pairs, highest cosine 0.7500"))
    #expect(html.contains("and \(names[3])</th><td>1</td><td>1</td><td>0.5000</td>"))
    #expect(!html.contains("eve") && !html.contains("<b>\"bob"))
    // Who is never taken for another has no matrix; without names asked for there is nothing of it.
    let none = ConfusedPeople([FacePair(0, 2, same: false)], scores: [0.1], threshold: 0.5, most: 4) { $0 / 2 }
    let empty = try page(made.evaluation(confusedPeople: none, names: names))
    #expect(
      empty.contains("0 of 1 pair of different people are accepted") && !empty.contains("<table class=\"matrix\""))
    #expect(try !page(made.evaluation()).contains("id=\"people\""))
  }
}
