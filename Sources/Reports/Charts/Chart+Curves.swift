extension Chart {
  /// A number over the steps of one run or several; nil where no run has it.
  ///
  /// - Parameters:
  ///   - name: of the curve in the histories.
  ///   - unit: behind numbers in words, such as " images/s".
  ///   - isMeant: whether the number means anything in a run.
  init?(
    _ heading: String, _ name: String, unit: String = "", of runs: [RunRecord], scale: Double = 1,
    where isMeant: (RunRecord) -> Bool = { _ in true }
  ) {
    self.init(heading, name, .steps, unit: unit, of: runs, scale: scale) { isMeant($0) ? $0.history.curves[name] : nil }
  }

  /// What comparing runs, and programs, of different speed is about.
  static func accuracyOverMinutes(_ runs: [RunRecord]) -> Chart? {
    Chart(
      "Accuracy of validations over the minutes of training", "accuracyOverMinutes", .minutes, unit: " %", of: runs,
      scale: 100
    ) { $0.history.accuracyOverSeconds }
  }

  /// What a curve's places are.
  private enum Places {
    case steps
    /// Counted in seconds.
    case minutes

    var title: String { self == .steps ? "step" : "minutes" }
    var unit: Double { self == .steps ? 1 : 60 }

    func text(_ value: Double) -> String { self == .steps ? Int(value).grouped : Figure.short(value) }

    func text(_ places: ClosedRange<Int>) -> String {
      let ends = [places.lowerBound, places.upperBound].map {
        self == .steps ? "\($0)" : Figure.fixed(Double($0) / unit, 1)
      }
      return ends[0] == ends[1] ? ends[0] : "\(ends[0]) to \(ends[1])"
    }
  }

  private init?(
    _ heading: String, _ name: String, _ places: Places, unit: String, of runs: [RunRecord], scale: Double,
    _ curve: (RunRecord) -> Curve?
  ) {
    let curves = runs.enumerated().compactMap { number, run in
      curve(run).map { (number, run.name, $0) }
    }
    let all = curves.flatMap { $0.2.pieces }
    guard let first = all.first else { return nil }
    let range = all.reduce(first.places) { joined, piece in
      min(joined.lowerBound, piece.places.lowerBound)...max(joined.upperBound, piece.places.upperBound)
    }
    let values = all.reduce(first.minimum...first.maximum) { joined, piece in
      min(joined.lowerBound, piece.minimum)...max(joined.upperBound, piece.maximum)
    }
    let across = Axis(
      Double(range.lowerBound) / places.unit...Double(range.upperBound) / places.unit, from: Self.left, to: Self.right,
      isTight: true, integers: places == .steps)
    let up = Axis(values.lowerBound * scale...values.upperBound * scale, from: Self.bottom, to: Self.top)

    identifier =
      "chart-"
      + name.unicodeScalars.map {
        $0.isASCII && $0.properties.isAlphabetic ? "\($0)" : "-" + String($0.value, radix: 16)
      }.joined()
    self.heading = heading
    summary = curves.map { _, run, curve in
      Self.words(curve, scale: scale, unit: unit, run: curves.count > 1 ? run : nil)
    }.joined(separator: " ")
    horizontalTitle = places.title
    horizontalTicks = across.marks(places.text)
    verticalTicks = up.marks()
    lines = curves.map { number, run, curve in
      Self.line(curve, name: run, number: number) { place, value in
        (across.place(place / places.unit), up.place(value * scale))
      }
    }
    hasLegend = runs.count > 1
    table = Self.table(heading + unit, curves.map { ($0.1, $0.2) }, places, scale: scale)
  }

  private static func line(
    _ curve: Curve, name: String, number: Int, _ place: (Double, Double) -> (Double, Double)
  ) -> Line {
    let pieces = curve.pieces
    let centers = pieces.map { Double($0.places.lowerBound + $0.places.upperBound) / 2 }
    let means = zip(centers, pieces).map { place($0, $1.mean) }
    var area: String?
    if pieces.contains(where: { $0.count > 1 }) {
      let low = zip(centers, pieces).map { place($0, $1.minimum) }
      let high = zip(centers, pieces).map { place($0, $1.maximum) }
      area = join(low + high.reversed())
    }
    // A few points, such as those of validations, are worth a dot each.
    let dots = means.count > 40 ? [] : means.map { Dot(x: text($0.0), y: text($0.1)) }
    return Line(name: name, number: number, points: join(means), area: area, dots: dots)
  }

  private static func words(_ curve: Curve, scale: Double, unit: String, run: String?) -> String {
    let pieces = curve.pieces
    let least = pieces.map(\.minimum).min() ?? 0
    let most = pieces.map(\.maximum).max() ?? 0
    let last = curve.last ?? 0
    let (low, high) = (Figure.short(least * scale), Figure.short(most * scale))
    return (run.map { "\($0): " } ?? "")
      + (low == high
        ? "\(low)\(unit) throughout."
        : "from \(low) to \(high)\(unit), at the end \(Figure.short(last * scale))\(unit).")
  }

  private static func table(
    _ heading: String, _ curves: [(name: String, curve: Curve)], _ places: Places, scale: Double
  ) -> Table {
    let rows = curves.flatMap { name, curve in
      curve.coarser(24).map { piece in
        let text = places.text(piece.places)
        return (
          title: curves.count > 1 ? "\(name), \(text)" : text,
          cells: [piece.mean, piece.minimum, piece.maximum].map { Figure.short($0 * scale) }
        )
      }
    }
    return Table(caption: heading, corner: places.title, columns: ["mean", "smallest", "largest"], rows: rows)
  }
}
