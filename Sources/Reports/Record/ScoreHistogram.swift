import Foundation

/// Numbers of pairs by score: both kinds in the same parts, which reach from the lowest score to the highest.
package struct ScoreHistogram: Equatable, Sendable {
  /// Parts of a score of 1: 1, 2 or 5 times a power of ten, so that the parts' ends are round.
  package let partsPerUnit: Int
  /// `start(of: 0)` = `firstPart / partsPerUnit`
  private let firstPart: Int
  /// Pairs of the same person, part by part.
  package let same: [Int]
  /// Pairs of different people.
  package let different: [Int]

  /// Both have at least one score, and all are finite.
  package init(same: [Double], different: [Double]) {
    precondition(!same.isEmpty && !different.isEmpty, "\(same.count) and \(different.count) scores of the kinds")
    let all = [same, different].joined()
    let (low, high) = (all.min()!, all.max()!)
    // 2 n^(1/3) parts for n values (Rice University's rule), of the kind with fewer pairs.
    let parts = min(max(2 * cbrt(Double(min(same.count, different.count))), 10), 50)
    // Scores that are nearly one number are shown as one.
    let finest = parts / max(high - low, 0.01)
    var power = 1
    while Double(10 * power) <= finest { power *= 10 }
    let unit = [5, 2, 1].map { $0 * power }.first { Double($0) <= finest } ?? 1
    partsPerUnit = unit
    firstPart = Self.part(low, unit)
    let count = Self.part(high, unit) - firstPart + 1
    var counts = [[Int](repeating: 0, count: count), [Int](repeating: 0, count: count)]
    for (kind, scores) in [same, different].enumerated() {
      for score in scores { counts[kind][Self.part(score, unit) - firstPart] += 1 }
    }
    (self.same, self.different) = (counts[0], counts[1])
  }

  /// The least score that a part holds, and the end of the part before.
  package func start(of part: Int) -> Double { Double(firstPart + part) / Double(partsPerUnit) }

  /// The score to which the parts reach.
  package var end: Double { start(of: same.count) }

  private static func part(_ score: Double, _ partsPerUnit: Int) -> Int {
    Int((score * Double(partsPerUnit)).rounded(.down))
  }
}
