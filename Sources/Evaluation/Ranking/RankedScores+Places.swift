import Inference

// Cuts as places among this rank's pairs: that before pair i accepts the pairs before it, and all of the ranks before.
// A cut belongs to the rank that has the pair behind it; the one that accepts everything to the last rank that has pairs.
// No other rank takes part in these functions.
extension RankedScores {
  /// Whether the cut that accepts all pairs is this rank's.
  var ownsEnd: Bool { !pairs.isEmpty && below.nearest == nil }

  /// Pairs that are accepted by a cut before pair `place`. O(1).
  func accepted(before place: Int) -> PairCount {
    let block = place / Self.block
    var same = sameBeforeBlock[block]
    for index in (block * Self.block)..<place where pairs[index].same { same += 1 }
    return PairCount(same: before.same + same, different: before.different + place - same)
  }

  /// The first place at or behind `start` before which so many pairs are accepted that `condition` holds, as it does
  /// wherever more are accepted; nil where there is none. O(log n)
  func firstPlace(from start: Int = 0, where condition: (PairCount) -> Bool) -> Int? {
    // The block in which it lies, or at whose end.
    var (block, next) = (start / Self.block, sameBeforeBlock.count)
    while next - block > 1 {
      let middle = (block + next) / 2
      if condition(accepted(before: middle * Self.block)) { next = middle } else { block = middle }
    }
    var place = max(start, block * Self.block)
    var counts = accepted(before: place)
    while !condition(counts) {
      guard place < pairs.count else { return nil }
      counts.add(pairs[place].same)
      place += 1
    }
    return place
  }

  /// The place of this rank's first cut at or behind `start` for which `condition` holds, as it does for all behind it.
  func firstCut(from start: Int = 0, where condition: (PairCount) -> Bool) -> Int? {
    guard var place = firstPlace(from: start, where: condition) else { return nil }
    if place > 0, place < pairs.count, pairs[place - 1].steps == pairs[place].steps { place = tieEnd(of: place) }
    return place < pairs.count || ownsEnd ? place : nil
  }

  /// The place of the last cut that accepts at most `count` pairs of different people; nil where it is not this rank's.
  func lastCut(acceptingAtMost count: Int) -> Int? {
    // The pair before the first place where there are more is the one that is too much.
    guard let place = firstPlace(where: { $0.different > count }) else { return ownsEnd ? pairs.count : nil }
    return place == 0 ? nil : tieStart(of: place - 1)
  }

  /// Where the pairs begin that have the score of pair `place`. O(log of their number)
  func tieStart(of place: Int) -> Int {
    let steps = pairs[place].steps
    var width = 1
    while place - width >= 0, pairs[place - width].steps == steps { width *= 2 }
    return pairs[max(0, place - width + 1)...(place - width / 2)].partition { $0.steps > steps }
  }

  /// Where they end.
  func tieEnd(of place: Int) -> Int {
    let steps = pairs[place].steps
    var width = 1
    while place + width < pairs.count, pairs[place + width].steps == steps { width *= 2 }
    return pairs[(place + width / 2)..<min(place + width, pairs.count)].partition { $0.steps == steps }
  }

  func kinds(in range: Range<Int>) -> PairCount {
    pairs[range].reduce(into: PairCount()) { $0.add($1.same) }
  }

  /// Calls `body` with the places of all pairs of one score, and their kinds, for each of this rank's scores.
  @inline(__always)
  func forEachTie(_ body: (Range<Int>, PairCount) throws -> Void) rethrows {
    var start = 0
    while start < pairs.count {
      let steps = pairs[start].steps
      var kinds = PairCount()
      var end = start
      while end < pairs.count, pairs[end].steps == steps {
        kinds.add(pairs[end].same)
        end += 1
      }
      try body(start..<end, kinds)
      start = end
    }
  }

  /// Calls `body` with this rank's cuts, from the highest threshold to the lowest.
  func forEachCut(_ body: (Cut) throws -> Void) rethrows {
    var (counts, higher) = (before, above.nearest?.steps)
    try forEachTie { places, kinds in
      let steps = pairs[places.lowerBound].steps
      try body(Cut(Self.threshold(higher, steps), counts))
      higher = steps
      counts += kinds
    }
    if ownsEnd { try body(Cut(Self.threshold(higher, nil), counts)) }
  }

  func cut(at place: Int) -> Cut { cut(at: place, excluding: nil, accepting: accepted(before: place)) }

  /// The cut at `place` of the pairs outside of `fold`, of which it accepts `counts`.
  func cut(at place: Int, excluding fold: Int?, accepting counts: PairCount) -> Cut {
    let higher = pairs[..<place].last { $0.fold != fold }?.steps ?? above.steps(excluding: fold)
    let lower = pairs[place...].first { $0.fold != fold }?.steps ?? below.steps(excluding: fold)
    return Cut(Self.threshold(higher, lower), counts)
  }

  /// Between the lowest accepted score and the highest refused one, in steps: their middle needs one bit more than they.
  private static func threshold(_ higher: Int?, _ lower: Int?) -> Double {
    guard let higher, let lower else {
      guard let end = higher ?? lower else { preconditionFailure("A cut of no pairs") }
      return higher == nil ? CosineStep.value(of: end).nextUp : CosineStep.value(of: end)
    }
    return CosineStep.value(of: higher + lower) / 2
  }
}

extension RankedScores.Cut {
  init(_ threshold: Double, _ accepted: PairCount) {
    (self.threshold, acceptedSame, acceptedDifferent) = (threshold, accepted.same, accepted.different)
  }

  /// For messages.
  var numbers: [Int] { [Int(bitPattern: UInt(threshold.bitPattern)), acceptedSame, acceptedDifferent] }

  init(numbers: ArraySlice<Int>) {
    let start = numbers.startIndex
    threshold = Double(bitPattern: UInt64(UInt(bitPattern: numbers[start])))
    (acceptedSame, acceptedDifferent) = (numbers[start + 1], numbers[start + 2])
  }
}
