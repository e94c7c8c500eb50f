extension Chart {
  /// A number over the steps of one run or several; nil where no run has it.
  ///
  /// - Parameters:
  ///   - name: of the curve in the histories.
  ///   - unit: behind numbers in words, such as " images/s".
  init?(
    _ heading: String, _ name: String, unit: String = "", of runs: [RunRecord], scale: Double = 1
  ) {
    let curves = runs.enumerated().compactMap { number, run in
      run.history.curves[name].map { (number, run.name, $0) }
    }
    let all = curves.flatMap { $0.2.pieces }
    guard let first = all.first else { return nil }
    let steps = all.reduce(first.steps) { joined, piece in
      min(joined.lowerBound, piece.steps.lowerBound)...max(joined.upperBound, piece.steps.upperBound)
    }
    let values = all.reduce(first.minimum...first.maximum) { joined, piece in
      min(joined.lowerBound, piece.minimum)...max(joined.upperBound, piece.maximum)
    }
    let across = Axis(
      Double(steps.lowerBound)...Double(steps.upperBound), from: Self.left, to: Self.right, isTight: true,
      integers: true)
    let up = Axis(values.lowerBound * scale...values.upperBound * scale, from: Self.bottom, to: Self.top)

    identifier = "chart-" + name
    self.heading = heading
    summary = curves.map { _, run, curve in
      Self.words(curve, scale: scale, unit: unit, run: curves.count > 1 ? run : nil)
    }.joined(separator: " ")
    horizontalTitle = "step"
    horizontalTicks = across.ticks.map { Tick(place: Self.text(across.place($0)), text: Int($0).grouped) }
    verticalTicks = up.ticks.map { Tick(place: Self.text(up.place($0)), text: Figure.short($0)) }
    lines = curves.map { number, run, curve in
      Self.line(curve, name: run, number: number) { step, value in (across.place(step), up.place(value * scale)) }
    }
    marks = []
    hasLegend = runs.count > 1
    table = Self.table(heading + unit, curves.map { ($0.1, $0.2) }, scale: scale)
  }

  private static func line(
    _ curve: Curve, name: String, number: Int, _ place: (Double, Double) -> (Double, Double)
  ) -> Line {
    let pieces = curve.pieces
    let centers = pieces.map { Double($0.steps.lowerBound + $0.steps.upperBound) / 2 }
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
    return (run.map { "\($0): " } ?? "")
      + "from \(Figure.short(least * scale)) to \(Figure.short(most * scale))\(unit), "
      + "at the end \(Figure.short(last * scale))\(unit)."
  }

  private static func table(_ heading: String, _ curves: [(name: String, curve: Curve)], scale: Double) -> Table {
    let rows = curves.flatMap { name, curve in
      curve.coarser(24).map { piece in
        let steps =
          piece.count == 1
          ? "\(piece.steps.lowerBound)" : "\(piece.steps.lowerBound) to \(piece.steps.upperBound)"
        return (
          title: curves.count > 1 ? "\(name), \(steps)" : steps,
          cells: [piece.mean, piece.minimum, piece.maximum].map { Figure.short($0 * scale) }
        )
      }
    }
    return Table(caption: heading, corner: "step", columns: ["mean", "smallest", "largest"], rows: rows)
  }
}
