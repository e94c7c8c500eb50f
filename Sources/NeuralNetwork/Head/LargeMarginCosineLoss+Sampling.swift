import VectorKernels

/// Steps over some of the rows. A row that a step takes up is projected from the norm it has in memory,
///
///     W' = w scale / n        n = sqrt(sum w^2 + 1e-10)
///
/// and what the update makes of it goes back. Rows that no step takes up are never touched: they stand for rows of the
/// norm `scale`, whatever it has become meanwhile.
extension LargeMarginCosineLoss {
  /// The next steps compute with `rows`: numbers within this range, ascending, each label's among them.
  ///
  /// Allocates only where there are more rows than ever before.
  package func select(_ rows: [Int32]) {
    precondition(isSampled, "A selection of \(rows.count) rows of a head that computes with all")
    precondition(
      (rows.first ?? 0) >= 0 && Int(rows.last ?? 0) < rowCount && zip(rows, rows.dropFirst()).allSatisfy(<),
      "\(rows.count) rows that are not ascending or not within 0..<\(rowCount)")
    if !hasCurrentNorms { gatherNorms() }
    activeRows = rows
    let needed = Self.tiled(rows.count) * Self.padded(capacity)
    if logits.elements.count < needed { logits = AlignedMemory(count: needed) }
  }

  /// Where `row` is among the rows of the step.
  func place(of row: Int) -> Int {
    guard let activeRows else { return row }
    var range = activeRows.indices
    while !range.isEmpty {
      let middle = (range.lowerBound + range.upperBound) / 2
      if activeRows[middle] < row { range = (middle + 1)..<range.upperBound } else { range = range.lowerBound..<middle }
    }
    precondition(
      range.lowerBound < activeRows.count && activeRows[range.lowerBound] == row,
      "Row \(row) of a label is not among the \(activeRows.count) selected")
    return range.lowerBound
  }

  /// The number of the row at `place` among those of the step.
  func row(at place: Int) -> Int { activeRows.map { Int($0[place]) } ?? place }

  /// After `restore`, of rows that a sampled run has left with norms of their own.
  package func projectRestored() throws(HeadError) {
    if isSampled { return }
    try computeRowFactors(scale: scale)
    apply(scale: scale)
  }

  /// Gives all rows in memory their common norm: before a model is written. No step may follow without `restore`.
  package func project() {
    guard isSampled else { return materialize() }
    if !hasCurrentNorms { gatherNorms() }
    let values = classWeight.value.baseAddress!
    Parallel.ranges(rowCount) { rows in
      for row in rows {
        let factor = Float(scale / Double(normMemory.elements[row]))
        multiply(values + row * width, by: factor, into: values + row * width, count: width)
      }
    }
    currentNorms = 0
  }
}
