import MPI

/// Divides scores among ranks by their height: rank 0 gets the highest, and equal scores come to one rank.
///
/// A sample sort (Shi and Schaeffer, Parallel sorting by regular sampling, JPDC 14(4), 1992): every n-th score of each
/// rank is known to all; the scores that divide these samples evenly divide the pairs nearly so.
enum ScoreExchange {
  /// Samples of all ranks, for each of them.
  private static let samplesPerRank = 256

  /// - Parameter own: this rank's pairs by falling scores; any number of them on any rank.
  /// - Returns: pairs by falling scores, none of them above those of the ranks before.
  static func divide(_ own: consuming [ScoredPair], _ group: Communicator) throws(MPIError) -> [ScoredPair] {
    let total = try group.allReduce(own.count)
    guard total > 0 else { return [] }
    let splitters = try splitters(own, total, group)
    // The pairs for rank r are those at ends[r - 1]..<ends[r].
    let ends = splitters.map { splitter in own.partition { $0.steps >= splitter } } + [own.count]
    let starts = [0] + ends.dropLast()
    let counts = try group.allReduce(zip(starts, ends).map { $1 - $0 })

    var result = [ScoredPair](repeating: ScoredPair(bits: 0), count: counts[group.rank])
    var runs = [0]
    func place(_ count: Int) -> Range<Int> {
      let start = runs[runs.count - 1]
      runs.append(start + count)
      return start..<(start + count)
    }
    let mine = starts[group.rank]..<ends[group.rank]
    result.replaceSubrange(place(mine.count), with: own[mine])
    try forEachPartner(of: group) { (partner, sendsFirst) throws(MPIError) in
      let sent = starts[partner]..<ends[partner]
      if sendsFirst { try send(own, sent, to: partner, group) }
      try receive(&result, place(receiveCount(from: partner, group)), from: partner, group)
      if !sendsFirst { try send(own, sent, to: partner, group) }
    }
    own = []
    ScoreOrder.merge(runs, of: &result)
    return result
  }

  /// The lowest score of each rank but the last, in steps.
  private static func splitters(
    _ own: [ScoredPair], _ total: Int, _ group: Communicator
  ) throws(MPIError) -> [Int] {
    let step = max(1, total / (group.size * samplesPerRank))
    let samples = stride(from: step / 2, to: own.count, by: step).map { own[$0].steps }
    let counts = try group.allGather(samples.count)
    let all = try group.allGather(samples, counts: counts).sorted(by: >)
    return (1..<group.size).map { all[$0 * all.count / group.size] }
  }

  /// Calls `body` with every other rank. Two ranks meet in one round, in which they have no other partner: nobody waits in
  /// a circle.
  private static func forEachPartner(
    of group: Communicator, _ body: (_ partner: Int, _ sendsFirst: Bool) throws(MPIError) -> Void
  ) throws(MPIError) {
    for round in 0..<group.size {
      let partner = (round - group.rank + group.size) % group.size
      if partner != group.rank { try body(partner, group.rank < partner) }
    }
  }

  private static func send(
    _ pairs: [ScoredPair], _ range: Range<Int>, to rank: Int, _ group: Communicator
  ) throws(MPIError) {
    try withUnsafePointer(to: range.count) { (count) throws(MPIError) in
      try group.send(UnsafeBufferPointer(start: count, count: 1), to: rank)
    }
    try pairs.withUnsafeBufferPointer { (pairs) throws(MPIError) in
      let bytes = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: pairs[range]))
      try group.send(bytes.assumingMemoryBound(to: Int64.self), to: rank)
    }
  }

  private static func receiveCount(from rank: Int, _ group: Communicator) throws(MPIError) -> Int {
    var count = 0
    try withUnsafeMutablePointer(to: &count) { (count) throws(MPIError) in
      try group.receive(UnsafeMutableBufferPointer(start: count, count: 1), from: rank)
    }
    return count
  }

  private static func receive(
    _ pairs: inout [ScoredPair], _ range: Range<Int>, from rank: Int, _ group: Communicator
  ) throws(MPIError) {
    try pairs.withUnsafeMutableBufferPointer { (pairs) throws(MPIError) in
      let bytes = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: pairs[range]))
      try group.receive(bytes.assumingMemoryBound(to: Int64.self), from: rank)
    }
  }
}
