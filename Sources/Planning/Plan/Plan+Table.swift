import Files

extension Plan {
  /// For people.
  package var text: String {
    let kinds = choices.map(\.classifier.rawValue)
    return [
      """
      \(compute.network), input \(compute.inputSide), embedding \(compute.embedding), \(classes) classes, \
      \(compute.batchSize) images and \(compute.threads) threads a rank\(frozenText)
      \(ranks) ranks, \(link.ranksPerHost) on a host; between hosts \((link.bytesPerSecond / 1e6).shown(1)) MB/s, \
      \((1e6 * link.latencySeconds).shown(1)) us; gradients as \(gradientType.rawValue) in buckets of \(bucketBytes >> 20) MB
      """,
      Self.table([["MB per rank"] + kinds] + memoryRows),
      Self.table([["ms per step"] + kinds] + timeRows),
      "\(recommendation.classifier.rawValue): \(recommendation.reason)",
      Self.table(
        [["ranks", "classifier", "ms a step", "images/s", "waiting", "MB sent", "GB a rank"]] + table.map(Self.cells)),
    ].joined(separator: "\n\n") + "\n"
  }

  private var frozenText: String { compute.freeze.map { "; frozen: \($0.joined(separator: ", "))" } ?? "" }

  private var memoryRows: [[String]] {
    // Both classifiers have the same parts.
    let rows = choices[0].memory.parts.indices.map { part in
      [choices[0].memory.parts[part].name] + choices.map { Self.megabytes($0.memory.parts[part].bytes) }
    }
    return rows + [
      ["program and libraries"] + choices.map { _ in Self.megabytes(compute.programBytes) },
      ["total"] + choices.map { Self.megabytes($0.memoryBytes) },
    ]
  }

  private var timeRows: [[String]] {
    let parts: [(String, KeyPath<StepModel.Estimate, Double>)] = [
      ("forward", \.forward), ("classifier", \.classifier), ("backward", \.backward), ("update", \.update),
      ("sums and copies of buckets", \.exchange), ("waiting for messages", \.communication), ("total", \.seconds),
    ]
    return parts.map { name, part in [name] + choices.map { (1e3 * $0.step[keyPath: part]).shown(1) } }
      + [["MB sent by a rank"] + choices.map { ($0.bytesSentPerStep / 1e6).shown(2) }]
  }

  private static func cells(_ row: Row) -> [String] {
    [
      "\(row.ranks)", row.classifier.rawValue, milliseconds(row.secondsPerStep), row.imagesPerSecond.shown(1),
      "\((100 * row.communicationShare).shown(1)) %", (row.bytesSentPerStep / 1e6).shown(2),
      gigabytes(row.memoryBytes),
    ]
  }

  private static func megabytes(_ bytes: Int) -> String { (Double(bytes) / 1e6).shown(1) }

  /// The first column keeps to the left, the others to the right.
  private static func table(_ rows: [[String]]) -> String {
    TextTable.lines(rows, right: 1..<rows[0].count).joined(separator: "\n")
  }
}
