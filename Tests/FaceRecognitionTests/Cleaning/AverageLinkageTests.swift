import Cleaning
import Foundation
import Testing

/// Against the definition: the two groups with the greatest mean of all pairs are joined, until none reaches the bound.
struct AverageLinkageTests {
  private func naive(_ count: Int, bound: Double, _ similarity: (Int, Int) -> Double) -> [[Int]] {
    var groups = (0..<count).map { [$0] }
    while true {
      var best: (score: Double, a: Int, b: Int)?
      for b in groups.indices {
        for a in 0..<b {
          let pairs = groups[a].flatMap { i in groups[b].map { similarity(i, $0) } }
          let score = pairs.reduce(0, +) / Double(pairs.count)
          if best == nil || score > best!.score { best = (score, a, b) }
        }
      }
      guard let best, best.score >= bound else { break }
      groups[best.a] += groups.remove(at: best.b)
    }
    return groups.map { $0.sorted() }.sorted { ($1.count, $0[0]) < ($0.count, $1[0]) }
  }

  @Test(arguments: [-0.5, 0, 0.1, 0.3, 0.9]) func asDefined(bound: Double) {
    for (seed, count) in [(1, 1), (2, 2), (3, 7), (4, 12), (5, 12), (6, 23)] {
      var state = UInt64(seed)
      let points = (0..<count).map { _ in
        (0..<3).map { _ -> Double in
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return Double(state >> 11) / Double(1 << 53) - 0.5
        }
      }
      func cosine(_ i: Int, _ j: Int) -> Double {
        func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        return product(points[i], points[j])
          / (product(points[i], points[i]) * product(points[j], points[j])).squareRoot()
      }
      let found = AverageLinkage.groups(count, bound: bound, similarity: cosine)
      #expect(found == naive(count, bound: bound, cosine), "seed \(seed)")
    }
  }

  /// Quantiles of a Gumbel law with location 2 and scale 0.5: -ln(-ln(p)) 0.5 + 2. With them its own bound comes back.
  @Test func extremeLaw() throws {
    let count = 10_000
    let scores = (0..<count).map { 2 - 0.5 * log(-log((Double($0) + 0.5) / Double(count))) }
    let law = try #require(ExtremeLaw(of: scores.shuffled()))
    #expect(abs(law.location - 2) < 1e-3 && abs(law.scale - 0.5) < 1e-3)
    // 2 - 0.5 math.log(-math.log1p(-rate)) by Python
    for (rate, bound) in [(0.1, 3.12518366366), (0.005, 4.64790607127), (0.001, 5.45362753526)] {
      #expect(abs(ExtremeLaw(location: 2, scale: 0.5).bound(rate: rate) - bound) < 1e-9)
    }
    // A tenth of faults, far above, moves the bound by two scales, and not to them: both quantiles are of strangers.
    let spoilt = try #require(ExtremeLaw(of: scores + [Double](repeating: 50, count: count / 10)))
    #expect(abs(spoilt.bound(rate: 0.005) - law.bound(rate: 0.005)) < 1)
    #expect(ExtremeLaw(of: [Double](scores.prefix(49))) == nil && ExtremeLaw(of: Array(repeating: 1, count: 99)) == nil)
  }
}
