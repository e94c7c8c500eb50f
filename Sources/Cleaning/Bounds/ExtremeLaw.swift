import Foundation

/// How the largest of many scores is distributed where all are of strangers: Gumbel's law,
///
///     P(score <= x) = exp(-exp(-(x - location) / scale)),
///
/// fitted through two quantiles that faults in the set hardly move: the median and the upper fifth.
package struct ExtremeLaw: Equatable, Sendable {
  package let location: Double
  package let scale: Double

  package init(location: Double, scale: Double) { (self.location, self.scale) = (location, scale) }

  /// Fewer scores say too little of the tail.
  package static let leastScores = 50
  private static let (lower, upper) = (0.5, 0.8)

  /// Nil for fewer than `leastScores`, and where they do not differ.
  package init?(of scores: [Double]) {
    guard scores.count >= Self.leastScores else { return nil }
    let sorted = scores.sorted()
    let (a, b) = (Quantile.of(sorted, Self.lower), Quantile.of(sorted, Self.upper))
    guard b > a else { return nil }
    scale = (b - a) / (Self.reduced(Self.upper) - Self.reduced(Self.lower))
    location = a - scale * Self.reduced(Self.lower)
  }

  /// What a share of `rate` of the scores of strangers exceeds.
  package func bound(rate: Double) -> Double { location + scale * Self.reduced(1 - rate) }

  private static func reduced(_ share: Double) -> Double { -log(-log(share)) }
}

enum Quantile {
  /// Of ascending numbers, interpolated between two, as numpy.quantile does.
  static func of(_ sorted: [Double], _ share: Double) -> Double {
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
    return sorted[below] + (sorted[below + 1] - sorted[below]) * (place - Double(below))
  }
}
