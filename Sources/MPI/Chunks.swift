/// 0..<count as consecutive ranges of at most `limit` elements: MPI's counts are 32-bit.
///
/// A count of zero has no chunk.
package struct Chunks: Sequence, IteratorProtocol {
  private let count: Int
  private let limit: Int
  private var start = 0

  package init(of count: Int, limit: Int) {
    precondition(count >= 0 && limit > 0, "\(count) elements in chunks of \(limit)")
    self.count = count
    self.limit = limit
  }

  package mutating func next() -> Range<Int>? {
    guard start < count else { return nil }
    let end = start + Swift.min(limit, count - start)
    defer { start = end }
    return start..<end
  }
}

/// Blocks of one array, one per rank, one after another.
package struct Blocks {
  package let counts: [Int]
  package let starts: [Int]
  package let total: Int

  package init(counts: [Int]) {
    precondition(counts.allSatisfy { $0 >= 0 }, "Negative counts in \(counts)")
    self.counts = counts
    var starts: [Int] = []
    starts.reserveCapacity(counts.count)
    var total = 0
    for count in counts {
      starts.append(total)
      total += count
    }
    self.starts = starts
    self.total = total
  }

  package func range(_ rank: Int) -> Range<Int> { starts[rank]..<(starts[rank] + counts[rank]) }
}
