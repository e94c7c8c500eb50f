import Inference
package import MPI

/// Scores of pairs from the highest to the lowest, each with the truth about its pair; divided among ranks.
///
/// A pair is accepted, that is taken for one of the same person, where score >= threshold. Only the cuts between unequal
/// scores can tell pairs apart; equal scores are accepted or refused together. The threshold of a cut lies in the middle
/// of the two scores beside it; it is the next number above the highest score where nothing is accepted, and the lowest
/// score where everything is.
///
/// No rank knows all scores: rank 0 has the highest, the last one the lowest, and equal scores are on one rank. What is
/// computed from them are whole numbers before the last division, so every rank gets the same, to the byte, however many
/// ranks there are. Unless said otherwise every rank calls a function that throws.
package struct RankedScores: Sendable {
  /// A threshold and what it accepts.
  package struct Cut: Sendable, Equatable {
    package let threshold: Double
    /// Accepted pairs of the same person: the true positives.
    package let acceptedSame: Int
    /// Accepted pairs of different people: the false positives.
    package let acceptedDifferent: Int
  }

  /// Of all ranks.
  package let sameCount: Int
  package let differentCount: Int
  package let foldCount: Int
  /// Pairs of each fold, by kind, on all ranks.
  let folds: [PairCount]

  let group: Communicator?
  /// This rank's, by falling scores.
  let pairs: [ScoredPair]
  /// How many pairs the ranks before have.
  let before: PairCount
  let foldsBefore: [PairCount]
  /// This rank's.
  let ownFolds: [PairCount]
  /// Of the ranks before, and of those behind.
  let above: NearestScore
  let below: NearestScore
  /// Pairs of the same person before each block of this rank's pairs: counts at any place without a count for each.
  let sameBeforeBlock: [Int]

  static let block = 1024

  /// Ranks the pairs of all ranks. O(n log n) for n pairs of a rank, with memory for twice as many.
  ///
  /// - Parameters:
  ///   - own: this rank's pairs, in any order; their folds are in 0..<`foldCount`. Their division among the ranks plays no part.
  ///   - group: the ranks that have the pairs; nil where this process has them all.
  /// - Throws: `EvaluationError`, on all ranks, where one kind of pair is missing.
  package init(_ own: consuming [ScoredPair], foldCount: Int, _ group: Communicator?) throws {
    var pairs = own
    ScoreOrder.sort(&pairs)
    if let group, group.size > 1 { pairs = try ScoreExchange.divide(consume pairs, group) }

    var counts = [Int](repeating: 0, count: 2 * foldCount)
    for pair in pairs { counts[pair.markNumber] += 1 }
    folds = Self.folds(try group.reduce(counts))
    foldsBefore = Self.folds(try group.sumBefore(counts))
    ownFolds = Self.folds(counts)
    let all = Self.sum(folds)
    guard all.same > 0, all.different > 0 else {
      throw EvaluationError(
        "Verification needs pairs of the same person and of different people, "
          + "but there are \(all.same) and \(all.different)")
    }
    (sameCount, differentCount, before) = (all.same, all.different, Self.sum(foldsBefore))
    (above, below) = try Self.neighbours(of: pairs, group)
    sameBeforeBlock = Self.sameBeforeBlocks(pairs)
    (self.pairs, self.foldCount, self.group) = (pairs, foldCount, group)
  }

  /// Counts by mark as counts by fold.
  static func folds(_ counts: [Int]) -> [PairCount] {
    stride(from: 0, to: counts.count, by: 2).map { PairCount(same: counts[$0 + 1], different: counts[$0]) }
  }

  private static func sum(_ folds: [PairCount]) -> PairCount { folds.reduce(into: PairCount()) { $0 += $1 } }

  private static func neighbours(
    of pairs: [ScoredPair], _ group: Communicator?
  ) throws -> (above: NearestScore, below: NearestScore) {
    var (highest, lowest) = (NearestScore(), NearestScore())
    if let first = pairs.first, let last = pairs.last {
      highest.add(first)
      lowest.add(last)
      if let next = pairs.first(where: { $0.fold != first.fold }) { highest.add(next) }
      if let next = pairs.last(where: { $0.fold != last.fold }) { lowest.add(next) }
    }
    let all = try group.gather(highest.bits + lowest.bits)
    var (above, below) = (NearestScore(), NearestScore())
    for rank in all[..<group.ownRank].reversed() { NearestScore.pairs(rank[2...]).forEach { above.add($0) } }
    for rank in all[(group.ownRank + 1)...] { NearestScore.pairs(rank[..<2]).forEach { below.add($0) } }
    return (above, below)
  }

  private static func sameBeforeBlocks(_ pairs: [ScoredPair]) -> [Int] {
    var (same, result) = (0, [0])
    for block in 0..<(pairs.count / block) {
      for index in (block * Self.block)..<((block + 1) * Self.block) where pairs[index].same { same += 1 }
      result.append(same)
    }
    return result
  }
}
