import MPI

// What all ranks find together.
extension RankedScores {
  /// The cut with the highest balanced accuracy; among equals that of the lowest threshold.
  package func bestCut() throws -> Cut { try bestCuts(excluding: [nil])[0] }

  /// For each of `folds` the cut with the highest balanced accuracy on the pairs outside of it; nil leaves none out.
  /// All folds in one pass.
  func bestCuts(excluding folds: [Int?]) throws -> [Cut] {
    var search = BestCuts(self, excluding: folds)
    search.consider(0)
    // After pairs of the same person alone accuracy never falls, after pairs of different people alone never rises: the best
    // cuts have one of the same person before them, and one of different people behind.
    var rises = false
    forEachTie { places, kinds in
      if rises && kinds.different > 0 {
        search.consider(places.lowerBound)
        rises = false
      }
      if kinds.same > 0 { rises = true }
      search.accept(places, kinds)
    }
    if rises { search.consider(pairs.count) }

    // The last of the ranks that have the most, since theirs are the lowest thresholds.
    let most = try group.reduce(search.best.map(\.advantage), .max)
    let owners = try group.reduce(zip(search.best, most).map { $0.advantage == $1 ? group.ownRank : -1 }, .max)
    return try shared(
      folds.indices.map { index in
        guard owners[index] == group.ownRank else { return nil }
        let best = search.best[index]
        return cut(at: best.place, excluding: folds[index], accepting: best.accepted)
      })
  }

  /// For each of `folds` the cut of the lowest threshold that accepts at most so many pairs of different people outside of it.
  func cuts(acceptingAtMost limits: [Int], excluding folds: Range<Int>) throws -> [Cut] {
    try shared(zip(limits, folds).map { ownCut(acceptingAtMost: $0, excluding: $1) })
  }

  private func ownCut(acceptingAtMost limit: Int, excluding fold: Int) -> Cut? {
    var counts = before - foldsBefore[fold]
    guard counts.different <= limit else { return nil }
    var (place, found) = (0, counts.different)
    while place < pairs.count {
      if !pairs[place].same && pairs[place].fold != fold {
        found += 1
        if found > limit { break }
      }
      place += 1
    }
    guard place < pairs.count || ownsEnd else { return nil }
    if place < pairs.count { place = tieStart(of: place) }
    for pair in pairs[..<place] where pair.fold != fold { counts.add(pair.same) }
    return cut(at: place, excluding: fold, accepting: counts)
  }

  /// How many pairs of each fold, by kind, fulfil `condition`.
  func count(where condition: (ScoredPair) -> Bool) throws -> [PairCount] {
    var counts = [Int](repeating: 0, count: 2 * foldCount)
    for pair in pairs where condition(pair) { counts[pair.markNumber] += 1 }
    return Self.folds(try group.reduce(counts))
  }

  /// The cuts that one rank each has; the others pass nil.
  func shared(_ cuts: [Cut?]) throws -> [Cut] {
    let numbers = try group.reduce(cuts.flatMap { $0?.numbers ?? [0, 0, 0] })
    return cuts.indices.map { Cut(numbers: numbers[(3 * $0)..<(3 * $0 + 3)]) }
  }
}

/// The best cuts of one rank's pairs, for several folds that may be left out.
private struct BestCuts {
  struct Best {
    /// Twice the balanced accuracy is acceptedSame / same + 1 - acceptedDifferent / different: compared in whole numbers.
    var advantage = Int.min
    var place = 0
    var accepted = PairCount()
  }

  private(set) var best: [Best]
  private let pairs: [ScoredPair]
  /// Where the fold that is left out has its counts: behind all folds are those of none.
  private let folds: [Int]
  /// The pairs outside of each fold.
  private let totals: [PairCount]
  private var accepted: PairCount
  private var acceptedFolds: [PairCount]

  init(_ scores: RankedScores, excluding folds: [Int?]) {
    pairs = scores.pairs
    self.folds = folds.map { $0 ?? scores.foldCount }
    let all = PairCount(same: scores.sameCount, different: scores.differentCount)
    totals = folds.map { fold in all - (fold.map { scores.folds[$0] } ?? PairCount()) }
    (accepted, acceptedFolds) = (scores.before, scores.foldsBefore + [PairCount()])
    best = [Best](repeating: Best(), count: folds.count)
  }

  /// The cut before pair `place`, where all before it have been accepted.
  mutating func consider(_ place: Int) {
    for index in folds.indices {
      let counts = accepted - acceptedFolds[folds[index]]
      let advantage = counts.same * totals[index].different - counts.different * totals[index].same
      if advantage >= best[index].advantage { best[index] = Best(advantage: advantage, place: place, accepted: counts) }
    }
  }

  mutating func accept(_ places: Range<Int>, _ kinds: PairCount) {
    accepted += kinds
    for place in places { acceptedFolds[pairs[place].fold].add(pairs[place].same) }
  }
}
