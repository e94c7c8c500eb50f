import Files

/// The layers' times as tables for people.
enum LayerTable {
  static func text(_ layers: [LayerTime], _ sums: StepSums) -> String {
    let columns = columns(layers)
    let header = ["layer", "computes", "in", "out"] + columns.flatMap(\.titles) + ["ms", "% of step"]
    let rows = layers.map { layer in
      [layer.name, layer.computes, short(layer.input), short(layer.output)] + columns.flatMap { $0.cells(layer) }
        + [layer.milliseconds.shown(2), (100 * layer.milliseconds / sums.stepMilliseconds).shown(1)]
    }
    let table = TextTable.lines([header] + rows, right: 4..<header.count)
    let legend = [
      "Milliseconds, GFLOP/s of the direct sums of products, and % of the limit: p by products, m by memory.",
      "Update: each layer's part of one pass over all parameters; of the class weight the rows' norms.",
    ]
    return (legend + table + [""] + sumLines(sums)).map { $0 + "\n" }.joined()
  }

  private static func sumLines(_ sums: StepSums) -> [String] {
    let header = ["in all", "ms", "% of step", "GFLOP/s", "% of limit"]
    let parts = (sums.kinds + sums.rest).map { part in
      [
        part.name, part.milliseconds.shown(2), (100 * part.share).shown(1), part.gigaflops?.shown(0) ?? "",
        part.limitMilliseconds.map { percent($0, part.milliseconds) } ?? "",
      ]
    }
    let (with, without) = (sums.stepMilliseconds, sums.stepWithoutClocksMilliseconds)
    return TextTable.lines(
      [header] + parts + [
        ["step with clocks", with.shown(2), "100.0"],
        ["step without", without.shown(2), (100 * without / with).shown(1)],
        ["the clocks' cost", (with - without).shown(2), (100 * (with - without) / with).shown(1)],
      ], right: 1..<header.count)
  }

  /// A direction's columns.
  private struct Column {
    /// Of which a layer has one at most.
    let directions: [LayerTime.Direction]
    let title: String
    let hasRates: Bool
    /// Where the time is contained in this direction's, that is said.
    let isWithin: LayerTime.Direction?

    init(
      _ title: String, _ directions: LayerTime.Direction..., hasRates: Bool = true, within: LayerTime.Direction? = nil
    ) {
      (self.title, self.directions, self.hasRates, isWithin) = (title, directions, hasRates, within)
    }

    var titles: [String] { hasRates ? [title, "GFLOP/s", "%"] : [title] }

    func cells(_ layer: LayerTime) -> [String] {
      guard let own = layer.directions.first(where: { directions.contains($0.direction) }) else {
        let isElsewhere = layer.directions.contains { $0.direction == isWithin }
        return [isElsewhere ? "with data" : ""] + (hasRates ? ["", ""] : [])
      }
      guard hasRates else { return [own.milliseconds.shown(2)] }
      let limit = own.limitMilliseconds.map { percent($0, own.milliseconds) + (own.bound == .memory ? "m" : "p") }
      return [own.milliseconds.shown(2), own.gigaflops?.shown(0) ?? "", limit ?? ""]
    }
  }

  /// Those that any layer has.
  private static func columns(_ layers: [LayerTime]) -> [Column] {
    let present = Set(layers.flatMap(\.directions).map(\.direction))
    return [
      Column("forward", .forward),
      Column("again", .forwardAgain, hasRates: false),
      Column("by data", .backwardData, .backward),
      Column("by weights", .backwardWeights, within: .backward),
      Column("update", .update, .renormalize, hasRates: false),
    ].filter { !present.isDisjoint(with: $0.directions) }
  }

  private static func short(_ shape: String) -> String { shape.split(separator: " ").joined() }

  /// What the limit is of the time.
  private static func percent(_ limit: Double, _ milliseconds: Double) -> String {
    milliseconds > 0 ? (100 * limit / milliseconds).shown(0) : ""
  }
}
