import NeuralNetwork
import VectorKernels

/// Puts pairs in the order of falling scores; those of equal scores stand in any order. The rank's threads share the work.
///
/// While it works it needs memory for as many pairs again.
enum ScoreOrder {
  private typealias Pairs = UnsafeMutablePointer<ScoredPair>

  /// O(n): each thread sorts its range by the digits of the scores, then the ranges are merged.
  static func sort(_ pairs: inout [ScoredPair]) {
    let parts = Parallel.threads
    let starts = (0..<parts).map { Share.range(of: pairs.count, $0, parts).lowerBound } + [pairs.count]
    withSpace(for: &pairs) { pairs, space in
      Parallel.run { part, threads in
        for run in stride(from: part, to: parts, by: threads) {
          sortByDigits(pairs + starts[run], space + starts[run], count: starts[run + 1] - starts[run])
        }
      }
      return merge(starts, pairs, space)
    }
  }

  /// Merges sorted runs, of which number i is at `starts[i]..<starts[i + 1]`. O(n log(runs)).
  static func merge(_ starts: [Int], of pairs: inout [ScoredPair]) {
    guard starts.count > 2 else { return }
    withSpace(for: &pairs) { merge(starts, $0, $1) }
  }

  /// `body` says whether it left the pairs in the space.
  private static func withSpace(for pairs: inout [ScoredPair], _ body: (Pairs, Pairs) -> Bool) {
    guard !pairs.isEmpty else { return }
    var space = [ScoredPair](unsafeUninitializedCapacity: pairs.count) { $1 = pairs.count }
    let isInSpace = pairs.withUnsafeMutableBufferPointer { pairs in
      space.withUnsafeMutableBufferPointer { body(pairs.baseAddress!, $0.baseAddress!) }
    }
    if isInSpace { swap(&pairs, &space) }
  }

  // The marks, which are the lowest bits, do not count. Six bits of the last digit are left.
  private static let digitBits: UInt64 = 8
  private static let digits = (64 - Int(ScoredPair.markBits) + 7) / 8
  private static let values = 1 << 8

  /// Radix sort from the last digit to the first (Knuth, The Art of Computer Programming 3, algorithm 5.2.5 R).
  private static func sortByDigits(_ pairs: Pairs, _ space: Pairs, count: Int) {
    guard count > 1 else { return }
    var places = [Int](repeating: 0, count: digits * values)
    places.withUnsafeMutableBufferPointer { places in
      for index in 0..<count {
        let key = key(of: pairs[index])
        for digit in 0..<digits { places[digit * values + value(of: digit, in: key)] += 1 }
      }
      var (from, to) = (pairs, space)
      for digit in 0..<digits {
        let places = UnsafeMutableBufferPointer(rebasing: places[(digit * values)..<((digit + 1) * values)])
        // One value of all pairs: they stay.
        if places[value(of: digit, in: key(of: from[0]))] == count { continue }
        var start = 0
        for value in 0..<values {
          let next = start + places[value]
          places[value] = start
          start = next
        }
        for index in 0..<count {
          let value = value(of: digit, in: key(of: from[index]))
          to[places[value]] = from[index]
          places[value] += 1
        }
        swap(&from, &to)
      }
      if from != pairs { pairs.update(from: from, count: count) }
    }
  }

  /// The lowest for the highest score.
  private static func key(of pair: ScoredPair) -> UInt64 {
    UInt64(bitPattern: pair.bits ^ Int64.max) >> UInt64(ScoredPair.markBits)
  }

  private static func value(of digit: Int, in key: UInt64) -> Int {
    Int(truncatingIfNeeded: key >> (UInt64(truncatingIfNeeded: digit) * digitBits)) & (values - 1)
  }

  /// Whether the pairs are in the space afterwards.
  private static func merge(_ starts: [Int], _ pairs: Pairs, _ space: Pairs) -> Bool {
    var (from, to, starts) = (pairs, space, starts)
    while starts.count > 2 {
      let runs = starts.count - 1
      for run in stride(from: 0, to: runs, by: 2) {
        let (middle, end) = (starts[run + 1], starts[min(run + 2, runs)])
        merge(from, starts[run]..<middle, middle..<end, into: to + starts[run])
      }
      starts = stride(from: 0, to: runs, by: 2).map { starts[$0] } + [starts[runs]]
      swap(&from, &to)
    }
    return from != pairs
  }

  /// Each thread takes a share of one run, and what lies beside it in the other.
  private static func merge(_ pairs: Pairs, _ a: Range<Int>, _ b: Range<Int>, into result: Pairs) {
    // Empty is only the second.
    let (left, right) = a.isEmpty ? (b, a) : (a, b)
    let (first, second) = (pairs + left.lowerBound, pairs + right.lowerBound)
    /// The pairs of the second run that come before pair `place` of the first.
    func beside(_ place: Int) -> Int {
      if place == 0 || place == left.count { return place == 0 ? 0 : right.count }
      return UnsafeBufferPointer(start: second, count: right.count).partition { $0.steps > first[place].steps }
    }
    Parallel.run { part, parts in
      let own = Share.range(of: left.count, part, parts)
      var (i, j) = (own.lowerBound, beside(own.lowerBound))
      let (iEnd, jEnd) = (own.upperBound, beside(own.upperBound))
      var out = result + i + j
      while i < iEnd && j < jEnd {
        let takesFirst = first[i].bits >= second[j].bits
        out.pointee = takesFirst ? first[i] : second[j]
        i += takesFirst ? 1 : 0
        j += takesFirst ? 0 : 1
        out += 1
      }
      out.update(from: first + i, count: iEnd - i)
      (out + (iEnd - i)).update(from: second + j, count: jEnd - j)
    }
  }
}

extension RandomAccessCollection where Index == Int {
  /// The first index whose element does not fulfil `condition`, or the end. Behind one that does not, none does.
  func partition(where condition: (Element) -> Bool) -> Int {
    var (low, high) = (startIndex, endIndex)
    while low < high {
      let middle = (low + high) / 2
      if condition(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
