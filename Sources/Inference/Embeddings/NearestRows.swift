/// The rows of a table that are nearest to each of some probes, by exact search.
///
/// Rows are ranked by `EmbeddingTable.cosine`, equal ones by their numbers, so that the answer is the same on any number
/// of threads. Beside the tables it holds tiles of products, and for each probe about as many rows as are asked for.
package struct NearestRows {
  package struct Neighbour: Equatable, Sendable {
    package let row: Int
    /// In [-1, 1].
    package let cosine: Double

    package init(row: Int, cosine: Double) { (self.row, self.cosine) = (row, cosine) }
  }

  private let products: TiledProducts
  private let count: Int
  private let isExcluded: ((_ probe: Int, _ row: Int) -> Bool)?

  /// Rows that are kept for a piece of the probes, at most.
  private static let keptRows = 1 << 21

  /// For each probe of `range` (all unless given) its `count` nearest rows, the nearest first; fewer where there are
  /// fewer.
  ///
  /// - Parameter isExcluded: rows that do not count for a probe, as itself or its own person's; called from all threads,
  ///   of the rows that come into question.
  package static func find(
    _ count: Int, in table: EmbeddingTable, of probes: EmbeddingTable, range: Range<Int>? = nil,
    excluding isExcluded: ((_ probe: Int, _ row: Int) -> Bool)? = nil
  ) -> [[Neighbour]] {
    precondition(count > 0, "The nearest \(count) rows")
    let range = range ?? 0..<probes.count
    let search = NearestRows(
      products: TiledProducts(probes, table), count: min(count, table.count), isExcluded: isExcluded)
    let piece = max(1, keptRows / (search.count * search.products.parts))
    return stride(from: range.lowerBound, to: range.upperBound, by: piece).flatMap { start in
      search.find(start..<min(start + piece, range.upperBound))
    }
  }

  private func find(_ range: Range<Int>) -> [[Neighbour]] {
    let parts = products.parts
    // (parts, range.count): each part's own nearest.
    var lists = [NearestList](repeating: NearestList(count: count), count: parts * range.count)
    lists.withUnsafeMutableBufferPointer { lists in
      let lists = lists.baseAddress!
      products.forEach(range) { part, tile in
        for probe in tile.probes {
          let list = lists + (part * range.count + probe - range.lowerBound)
          tile.forEachRow(of: probe, from: products.least(for: list.pointee.least)) { row, product in
            if product < products.least(for: list.pointee.least) { return }
            if isExcluded?(probe, row) == true { return }
            list.pointee.add(Neighbour(row: row, cosine: products.probes.cosine(probe, of: products.table, row)))
          }
        }
      }
    }
    return range.indices.map { probe in
      var joined = lists[probe - range.lowerBound]
      for part in 1..<max(parts, 1) {
        for neighbour in lists[part * range.count + probe - range.lowerBound].rows { joined.add(neighbour) }
      }
      return joined.nearest
    }
  }
}

/// The nearest `count` of the rows that were added.
private struct NearestList {
  let count: Int
  /// They, and perhaps as many that are farther.
  private(set) var rows: [NearestRows.Neighbour] = []
  /// Rows of lower cosines are not among the nearest.
  private(set) var least = -Double.infinity

  init(count: Int) { self.count = count }

  mutating func add(_ neighbour: NearestRows.Neighbour) {
    guard neighbour.cosine >= least else { return }
    rows.append(neighbour)
    if rows.count == 2 * count { cut() }
  }

  private mutating func cut() {
    rows.sort { ($1.cosine, $0.row) < ($0.cosine, $1.row) }
    guard rows.count >= count else { return }
    rows.removeLast(rows.count - count)
    least = rows[count - 1].cosine
  }

  /// The nearest first.
  var nearest: [NearestRows.Neighbour] {
    var list = self
    list.cut()
    return list.rows
  }
}
