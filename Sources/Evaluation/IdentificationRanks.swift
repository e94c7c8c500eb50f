package import Inference
import NeuralNetwork
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

  /// Rows that go through one matrix product: fixed, so that nothing depends on ranks or threads.
  private static let probeBlock = 64
  private static let rowBlock = 512

  let probes: EmbeddingTable
  /// Ordered by their probes.
  let searches: [Search]
  /// Where each block of probes begins in `searches`, and the end.
  private let blocks: [Int]

  package init(probes: EmbeddingTable, searches: [Search]) {
    self.probes = probes
    self.searches = searches
    var blocks = [0]
    for (place, search) in searches.enumerated() {
      precondition(place == 0 || searches[place - 1].probe <= search.probe, "Searches in the order of their probes")
      while search.probe >= blocks.count * Self.probeBlock { blocks.append(place) }
    }
    self.blocks = blocks + [searches.count]
  }

  /// The rows of `table` that come before each search's mate, for the `part`-th share of the probes; 0 for the others.
  ///
  /// `people[j]` is whom row j shows; nil where no row shows anybody that is searched for. Float products only rule rows
  /// out: near the mate's score the exact cosine decides, so the count is that of exact cosines.
  package func competitors(in table: EmbeddingTable, people: [Int]?, part: Int, of parts: Int) -> [Int] {
    let share = Share.range(of: blocks.count - 1, part, parts)
    var counts = [Int](repeating: 0, count: searches.count)
    counts.withUnsafeMutableBufferPointer { counts in
      // A search belongs to one block, a block to one thread.
      Parallel.ranges(share.count) { range in
        for block in range { count(in: table, people, block: share.lowerBound + block, counts) }
      }
    }
    return counts
  }

  /// The greatest exact cosine of each search's probe with a row of `table`, for the `part`-th share of the probes; -1 for the
  /// others.
  package func bestScores(in table: EmbeddingTable, part: Int, of parts: Int) -> [Double] {
    let share = Share.range(of: blocks.count - 1, part, parts)
    var best = [Double](repeating: -1, count: searches.count)
    best.withUnsafeMutableBufferPointer { best in
      Parallel.ranges(share.count) { range in
        for block in range {
          forEachRow(of: table, block: share.lowerBound + block) { place, search, scores, rows in
            for row in rows where Double(scores[row - rows.lowerBound]) >= best[place] - margin {
              best[place] = max(best[place], probes.cosine(search.probe, of: table, row))
            }
          }
        }
      }
    }
    return best
  }

  private func count(
    in table: EmbeddingTable, _ people: [Int]?, block: Int, _ counts: UnsafeMutableBufferPointer<Int>
  ) {
    forEachRow(of: table, block: block) { place, search, scores, rows in
      let least = Float(search.score - margin)
      var found = 0
      for row in rows where scores[row - rows.lowerBound] >= least {
        if let people, people[row] == search.person { continue }
        if Double(scores[row - rows.lowerBound]) > search.score + margin
          || probes.cosine(search.probe, of: table, row) >= search.score
        {
          found += 1
        }
      }
      counts[place] += found
    }
  }

  /// Twice the bound of a Float inner product of unit vectors, with the rounding of the vectors themselves.
  private var margin: Double { Double(probes.width + 8) * Double(Float.ulpOfOne) }

  /// Calls `body` with each search of a block and its place, and with Float products of its probe and rows of `table`.
  private func forEachRow(
    of table: EmbeddingTable, block: Int,
    _ body: (_ place: Int, _ search: Search, _ scores: UnsafePointer<Float>, _ rows: Range<Int>) -> Void
  ) {
    let width = probes.width
    let first = block * Self.probeBlock
    let rows = first..<min(first + Self.probeBlock, probes.count)
    let searches = searches[blocks[block]..<blocks[block + 1]]
    guard !searches.isEmpty else { return }
    let memory = [rows.count * width, Self.rowBlock * width, rows.count * Self.rowBlock].map(AlignedMemory.init)
    // Its last use would otherwise be the next line.
    defer { withExtendedLifetime(memory) {} }
    let (left, right, products) = (
      memory[0].elements.baseAddress!, memory[1].elements.baseAddress!, memory[2].elements.baseAddress!
    )
    probes.copyUnitVectors(rows, to: left)
    for start in stride(from: 0, to: table.count, by: Self.rowBlock) {
      let others = start..<min(start + Self.rowBlock, table.count)
      table.copyUnitVectors(others, to: right)
      gemm(.none, .transpose, rows.count, others.count, width, left, right, into: products)
      for (place, search) in zip(searches.indices, searches) {
        body(place, search, products + (search.probe - first) * others.count, others)
      }
    }
  }
}
