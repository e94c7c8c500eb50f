package import Datasets

/// The embeddings of a set of images, each row on one rank alone.
///
/// N = images that could be read. Rank r has the rows starts[r]..<starts[r + 1].
package struct DividedTable: Sendable {
  /// This rank's rows; there may be none.
  package let own: EmbeddingTable
  /// Sample numbers of the source, ascending: row i belongs to `samples[i]`. (N)
  package let samples: [Int]
  /// (ranks + 1)
  package let starts: [Int]
  /// Norms of the embeddings of the images as they are, of all rows.
  package let norms: Distribution
  /// Images that could not be read, in the order of their sample numbers.
  package let badImages: [BadImage]

  /// The rows of `rank`.
  package func rows(of rank: Int) -> Range<Int> { starts[rank]..<starts[rank + 1] }

  /// The row of each sample of the source; -1 where there is none. (count of the source)
  package let rowsBySample: [Int32]

  /// All rows on one rank.
  ///
  /// - Parameters:
  ///   - samples: ascending; row i is that of sample i unless given.
  ///   - count: images of the source; those of the rows unless given.
  package init(_ table: EmbeddingTable, samples: [Int]? = nil, of count: Int? = nil) {
    own = table
    self.samples = samples ?? Array(0..<table.count)
    rowsBySample = Self.rows(self.samples, of: count ?? table.count)
    (starts, norms, badImages) = ([0, table.count], table.norms, [])
  }

  private static func rows(_ samples: [Int], of count: Int) -> [Int32] {
    var rows = [Int32](repeating: -1, count: count)
    for (row, sample) in samples.enumerated() { rows[sample] = Int32(row) }
    return rows
  }

  /// All rows, on every rank. Every rank calls it.
  package func joined(_ group: any EmbeddingGroup) throws -> EmbeddingTable {
    guard group.size > 1 else { return own }
    let counts = (0..<group.size).map { rows(of: $0).count }
    let (vectors, inverseNorms) = own.withRows(0..<own.count) { (Array($0), Array($1)) }
    return EmbeddingTable(
      vectors: try group.gather(vectors, counts: counts.map { $0 * own.width }),
      inverseNorms: try group.gather(inverseNorms, counts: counts), width: own.width)
  }

  /// Every rank calls it with its rows, those of its share of `samples` that are not among the bad images.
  ///
  /// - Parameter count: images of the source.
  package init(
    _ own: EmbeddingTable, samples: [Int], of count: Int, badImages: [BadImage], _ group: any EmbeddingGroup
  ) throws {
    let bad = Set(badImages.map(\.sample))
    self.own = own
    self.samples = bad.isEmpty ? samples : samples.filter { !bad.contains($0) }
    self.badImages = badImages
    rowsBySample = Self.rows(self.samples, of: count)
    let counts = try group.gather(encoding: own.count)
    starts = counts.reduce(into: [0]) { $0.append($0.last! + $1) }
    precondition(starts.last == self.samples.count, "\(starts) rows of \(self.samples.count) images")
    norms = Distribution(of: try group.gather(own.rowNorms, counts: counts))
  }
}
