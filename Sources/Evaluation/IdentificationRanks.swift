package import Inference
import VectorKernels

/// Searches for people in a gallery: who else comes before the right one?
///
///     competitors(search) = number of rows j of others with cosine(probe, j) >= cosine(probe, mate)     rank = competitors + 1
///
/// Equal scores count against the mate: a network that gives everybody the same vector finds nobody.
///
/// The gallery's rows may come in parts, and each part from another rank: counts add up, and of best scores the greatest is
/// the whole's. Float products only rule rows out: near a score the exact cosine decides, so all counts are those of exact
/// cosines.
package struct IdentificationRanks {
  private let probes: EmbeddingTable
  /// Whom each probe shows: rows of this person do not compete.
  private let people: [Int32]
  /// Where each probe's searches begin, and the end. (probes + 1)
  private let starts: [Int]
  /// cosine(probe, mate) of each search.
  private let scores: [Double]
  /// Probes that are searched for without a mate.
  private let strangers: [Bool]

  /// Of each search, as far as rows were added.
  package private(set) var competitors: [Int32]
  /// Of each stranger the greatest cosine with a row; -1 for other probes, and before there is any.
  package private(set) var bestScores: [Double]

  /// Counts of searches that are kept for a piece of the probes, those of all threads together.
  private static let keptCounts = 1 << 22

  /// - Parameters:
  ///   - starts: where the searches of each probe begin in `scores`, and the end.
  ///   - strangers: of each probe, whether its person is in no gallery; nil where all are.
  package init(probes: EmbeddingTable, people: [Int32], starts: [Int], scores: [Double], strangers: [Bool]? = nil) {
    precondition(
      people.count == probes.count && starts.count == probes.count + 1 && starts.last == scores.count,
      "\(people.count) people and \(starts.count) starts of \(scores.count) searches for \(probes.count) probes")
    (self.probes, self.people, self.starts, self.scores) = (probes, people, starts, scores)
    self.strangers = strangers ?? [Bool](repeating: false, count: probes.count)
    competitors = [Int32](repeating: 0, count: scores.count)
    bestScores = [Double](repeating: -1, count: probes.count)
  }

  /// Looks for all probes among the rows of `table`; `shown[j]` is whom row j shows, nil where no row shows anybody that is
  /// searched for.
  package mutating func add(_ table: EmbeddingTable, people shown: [Int32]? = nil) {
    guard table.count > 0 else { return }
    let products = TiledProducts(probes, table)
    var start = 0
    while start < probes.count {
      // Whole blocks of probes, as products are made of, where few enough searches are theirs.
      var end = start + 1
      while end < min(start + TiledProducts.heldProbes, probes.count),
        (starts[end + 1] - starts[start]) * products.parts <= Self.keptCounts
      { end += 1 }
      add(start..<end, products, shown)
      start = end
    }
  }

  private mutating func add(_ piece: Range<Int>, _ products: TiledProducts, _ shown: [Int32]?) {
    let first = starts[piece.lowerBound]
    let count = starts[piece.upperBound] - first
    let order = order(piece)
    let falling = order.map { scores[first + Int($0)] }
    let (starts, people, strangers) = (starts, people, strangers)
    // Each thread has values of its own, for its own rows.
    var counts = [Int32](repeating: 0, count: products.parts * count)
    var best = [Double](repeating: -1, count: products.parts * piece.count)
    counts.withUnsafeMutableBufferPointer { counts in
      best.withUnsafeMutableBufferPointer { best in
        let (counts, best) = (counts.baseAddress, best.baseAddress!)
        products.forEach(piece) { thread, tile in
          for probe in tile.probes {
            if strangers[probe] {
              let place = thread * piece.count + probe - piece.lowerBound
              Self.look(tile, probe, products, &best[place])
            }
            let places = (starts[probe] - first)..<(starts[probe + 1] - first)
            guard !places.isEmpty else { continue }
            let own = people[probe]
            falling.withUnsafeBufferPointer {
              Self.count(
                tile, probe, products, .init(rebasing: $0[places]), into: counts! + thread * count + places.lowerBound
              ) { shown?[$0] == own }
            }
          }
        }
      }
    }
    for probe in piece {
      for part in 0..<products.parts {
        bestScores[probe] = max(bestScores[probe], best[part * piece.count + probe - piece.lowerBound])
      }
      // What competes at a score competes at all lower ones.
      var sum: Int32 = 0
      for place in (starts[probe] - first)..<(starts[probe + 1] - first) {
        for part in 0..<products.parts { sum += counts[part * count + place] }
        competitors[first + Int(order[place])] += sum
      }
    }
  }

  /// The searches of each probe of the piece by falling scores, numbered from the piece's first.
  private func order(_ piece: Range<Int>) -> [Int32] {
    let first = starts[piece.lowerBound]
    var order = (0..<(starts[piece.upperBound] - first)).map(Int32.init)
    for probe in piece {
      order[(starts[probe] - first)..<(starts[probe + 1] - first)].sort { a, b in
        scores[first + Int(a)] > scores[first + Int(b)]
      }
    }
    return order
  }

  /// Adds 1 for each row of the tile, at the first of the falling scores that the row reaches.
  private static func count(
    _ tile: TiledProducts.Tile, _ probe: Int, _ products: TiledProducts, _ falling: UnsafeBufferPointer<Double>,
    into counts: UnsafeMutablePointer<Int32>, excluding isExcluded: (_ row: Int) -> Bool
  ) {
    tile.forEachRow(of: probe, from: products.least(for: falling[falling.count - 1])) { row, product in
      let product = Double(product)
      var place = Self.first(of: falling, reachedBy: product + products.margin)
      guard place < falling.count, !isExcluded(row) else { return }
      if falling[place] >= product - products.margin {
        place = Self.first(of: falling, reachedBy: products.probes.cosine(probe, of: products.table, row))
      }
      if place < falling.count { counts[place] += 1 }
    }
  }

  /// The first score that is not above `value`.
  private static func first(of falling: UnsafeBufferPointer<Double>, reachedBy value: Double) -> Int {
    var (place, end) = (0, falling.count)
    while place < end {
      let middle = (place + end) / 2
      if falling[middle] <= value { end = middle } else { place = middle + 1 }
    }
    return place
  }

  /// Raises `best` to the greatest exact cosine of the probe with a row of the tile.
  private static func look(
    _ tile: TiledProducts.Tile, _ probe: Int, _ products: TiledProducts, _ best: inout Double
  ) {
    tile.forEachRow(of: probe, from: products.least(for: best)) { row, product in
      guard Double(product) >= best - products.margin else { return }
      best = max(best, products.probes.cosine(probe, of: products.table, row))
    }
  }
}
