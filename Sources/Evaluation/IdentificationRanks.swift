package import Inference
import VectorKernels

/// Searches for people in a gallery: who else comes before the right one?
///
///     competitors(search) = number of rows j of others with cosine(probe, j) >= cosine(probe, mate)     rank = competitors + 1
///
/// Equal scores count against the mate: a network that gives everybody the same vector finds nobody.
package struct IdentificationRanks {
  package struct Search: Equatable, Sendable {
    /// A row of the probes.
    package let probe: Int
    /// The person: rows with this label do not compete.
    package let person: Int
    /// cosine(probe, mate)
    package let score: Double

    package init(probe: Int, person: Int, score: Double) {
      (self.probe, self.person, self.score) = (probe, person, score)
    }
  }

  let probes: EmbeddingTable
  /// Ordered by their probes.
  let searches: [Search]
  /// Where each probe's searches begin, and the end.
  private let starts: [Int]

  package init(probes: EmbeddingTable, searches: [Search]) {
    self.probes = probes
    self.searches = searches
    var starts = [0]
    for (place, search) in searches.enumerated() {
      precondition(place == 0 || searches[place - 1].probe <= search.probe, "Searches in the order of their probes")
      while search.probe >= starts.count { starts.append(place) }
    }
    self.starts = starts + [Int](repeating: searches.count, count: probes.count + 1 - starts.count)
  }

  /// The rows of `table` that come before each search's mate, for the `part`-th share of the probes; 0 for the others.
  ///
  /// `people[j]` is whom row j shows; nil where no row shows anybody that is searched for. Float products only rule rows
  /// out: near the mate's score the exact cosine decides, so the count is that of exact cosines.
  package func competitors(in table: EmbeddingTable, people: [Int]?, part: Int, of parts: Int) -> [Int] {
    let products = TiledProducts(probes, table)
    return reduce(products, from: 0, part, parts, joining: +) { tile, search, found in
      tile.forEachRow(of: search.probe, from: products.least(for: search.score)) { row, product in
        if let people, people[row] == search.person { return }
        if Double(product) > search.score + products.margin
          || probes.cosine(search.probe, of: table, row) >= search.score
        {
          found += 1
        }
      }
    }
  }

  /// The greatest exact cosine of each search's probe with a row of `table`, for the `part`-th share of the probes; -1 for the
  /// others.
  package func bestScores(in table: EmbeddingTable, part: Int, of parts: Int) -> [Double] {
    let products = TiledProducts(probes, table)
    return reduce(products, from: -1.0, part, parts, joining: max) { tile, search, best in
      tile.forEachRow(of: search.probe, from: products.least(for: best)) { row, product in
        guard Double(product) >= best - products.margin else { return }
        best = max(best, probes.cosine(search.probe, of: table, row))
      }
    }
  }

  /// For each search a value that all tiles of its probe add to.
  private func reduce<Value>(
    _ products: TiledProducts, from start: Value, _ part: Int, _ parts: Int, joining join: (Value, Value) -> Value,
    _ body: (TiledProducts.Tile, Search, inout Value) -> Void
  ) -> [Value] {
    // Each thread has values of its own, for its own rows.
    var values = [Value](repeating: start, count: products.parts * searches.count)
    values.withUnsafeMutableBufferPointer { values in
      let values = values.baseAddress!
      products.forEach(Share.range(of: probes.count, part, parts)) { thread, tile in
        for place in starts[tile.probes.lowerBound]..<starts[tile.probes.upperBound] {
          body(tile, searches[place], &values[thread * searches.count + place])
        }
      }
    }
    return searches.indices.map { place in
      stride(from: place, to: values.count, by: searches.count).reduce(start) { join($0, values[$1]) }
    }
  }
}
