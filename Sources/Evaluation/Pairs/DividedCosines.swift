import Datasets
import Distributed
import Inference
package import MPI
import NeuralNetwork

/// Cosines of pairs of images whose rows lie on several ranks.
///
/// A pair is scored by the rank that has its first image's row. That of the second passes by: each rank sends its rows to all, in
/// pieces. So no rank holds another's rows for longer than a piece. Where pairs are many, some are scored at a time, and all rows
/// pass by for each of these rounds.
struct DividedCosines {
  private let table: DividedTable
  private let communicator: Communicator
  /// The row of each of the source's images; -1 where there is none.
  private let rows: [Int32]

  /// Pairs that are scored at a time, of all ranks together: what a rank gets of them it must hold.
  private static let roundLength = 2 << 20

  init(_ table: DividedTable, _ communicator: Communicator) {
    (self.table, self.communicator) = (table, communicator)
    rows = table.rowsBySample
  }

  /// Whether both images could be read.
  func has(_ pair: FacePair) -> Bool { rows[pair.first] >= 0 && rows[pair.second] >= 0 }

  /// Every rank calls it with pairs of its own, and gets theirs, in their order. All must have rows.
  func scores(of pairs: [FacePair]) throws -> [ScoredPair] {
    guard communicator.size > 1 else { return alone(pairs) }
    var scores: [ScoredPair] = []
    scores.reserveCapacity(pairs.count)
    let length = max(Self.roundLength / communicator.size, 1)
    let most = try communicator.allReduce(pairs.count, .max)
    for start in stride(from: 0, to: most, by: length) {
      let round = pairs[min(start, pairs.count)..<min(start + length, pairs.count)]
      var (tasks, counts) = try divide(round)
      try score(&tasks)
      try collect(round, tasks, counts, into: &scores)
    }
    return scores
  }

  private func alone(_ pairs: [FacePair]) -> [ScoredPair] {
    [ScoredPair](unsafeUninitializedCapacity: pairs.count) { scores, count in
      let output = scores.baseAddress!
      Parallel.ranges(pairs.count) { range in
        for place in range {
          let pair = pairs[place]
          let score = table.own.cosine(Int(rows[pair.first]), Int(rows[pair.second]))
          (output + place).initialize(to: ScoredPair(score: score, mark: pair.mark))
        }
      }
      count = pairs.count
    }
  }

  /// A pair whose first row is this rank's.
  private struct Task {
    /// Of this rank's rows.
    let first: Int32
    /// Of all rows.
    let second: Int32
    var score: Double = 0
  }

  /// The pairs of all ranks whose first rows are this rank's, in the order of ranks and of their pairs; and how many each
  /// rank gave.
  private func divide(_ pairs: ArraySlice<FacePair>) throws -> ([Task], counts: [Int]) {
    let own = table.rows(of: communicator.rank)
    var tasks: [Task] = []
    var counts: [Int] = []
    for root in 0..<communicator.size {
      let before = tasks.count
      var places = [Int32](repeating: 0, count: 2 * (try communicator.broadcast(pairs.count, from: root)))
      if communicator.rank == root {
        for (place, pair) in pairs.enumerated() {
          places[2 * place] = rows[pair.first]
          places[2 * place + 1] = rows[pair.second]
        }
      }
      try send(&places, from: root)
      for place in stride(from: 0, to: places.count, by: 2) where own.contains(Int(places[place])) {
        tasks.append(Task(first: places[place] - Int32(own.lowerBound), second: places[place + 1]))
      }
      counts.append(tasks.count - before)
    }
    return (tasks, counts)
  }

  private func send<S: MPIScalar>(_ values: inout [S], from root: Int) throws {
    try values.withUnsafeMutableBufferPointer { (values) throws(MPIError) in
      try communicator.broadcast(values, from: root)
    }
  }

  /// Sends all rows past all ranks.
  private func score(_ tasks: inout [Task]) throws {
    let own = table.own
    for root in 0..<communicator.size {
      try table.forEachPiece(of: root, communicator) { piece, start in
        let rows = Int32(start)..<Int32(start + piece.count)
        tasks.withUnsafeMutableBufferPointer { tasks in
          let all = UnsafeMutableBufferPointer(rebasing: tasks[...])
          Parallel.ranges(all.count) { range in
            for place in range where rows.contains(all[place].second) {
              all[place].score = own.cosine(Int(all[place].first), of: piece, Int(all[place].second) - start)
            }
          }
        }
      }
    }
  }

  /// Adds the scores of this rank's pairs, from the ranks that have their first rows.
  private func collect(
    _ pairs: ArraySlice<FacePair>, _ tasks: [Task], _ counts: [Int], into scores: inout [ScoredPair]
  ) throws {
    let size = communicator.size
    let all = try communicator.allGather(counts, counts: [Int](repeating: size, count: size))
    let start = scores.count
    scores += repeatElement(ScoredPair(bits: 0), count: pairs.count)
    for root in 0..<size {
      // Where in that rank's tasks those of each rank stand.
      let blocks = Blocks(counts: Array(all[(root * size)..<((root + 1) * size)]))
      var values = communicator.rank == root ? tasks.map(\.score) : [Double](repeating: 0, count: blocks.total)
      try send(&values, from: root)
      let theirs = table.rows(of: root)
      var next = pairs.startIndex
      for score in values[blocks.range(communicator.rank)] {
        while !theirs.contains(Int(rows[pairs[next].first])) { next += 1 }
        scores[start + next - pairs.startIndex] = ScoredPair(score: score, mark: pairs[next].mark)
        next += 1
      }
    }
  }
}
