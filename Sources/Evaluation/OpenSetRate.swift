/// TPIR at FPIR: the share of searches for people of the gallery that find the right one first and by a score at or
/// above the threshold, while at most a given share of the searches for strangers finds anybody.
///
///     FPIR(t) = share of strangers' searches with best score >= t
///     TPIR(t) = share of searches for people of the gallery with the mate first and its score >= t
///
/// As NIST and the Janus benchmarks define open-set identification (Grother et al., NISTIR 8271; Maze et al., ICB
/// 2018). With S searches for strangers and FPIR = 1/n, at most floor(S / n) of them may find anybody; t is the least
/// number above the next one's best score. Below S = n not one may, and the figure is left out.
package struct OpenSetRate: Codable, Equatable, Sendable {
  /// The FPIR that was asked for.
  package let falsePositiveRate: Double
  /// At most the one asked for.
  package let reachedFalsePositiveRate: Double?
  package let truePositiveRate: Double?
  package let threshold: Double?
  /// Why there is no figure.
  package let reason: String?

  /// A search for somebody of the gallery.
  package struct Mated: Equatable, Sendable {
    package let score: Double
    /// Whether every stranger's score is below the mate's.
    package let isFirst: Bool

    package init(score: Double, isFirst: Bool) { (self.score, self.isFirst) = (score, isFirst) }
  }

  /// FPIR 0.01 and 0.1.
  package static func usual(strangers: [Double], mated: [Mated]) -> [OpenSetRate] {
    let falling = strangers.sorted(by: >)
    return [100, 10].map { OpenSetRate(oneIn: $0, falling: falling, mated: mated) }
  }

  /// - Parameters:
  ///   - falling: the best score of each search for a stranger, the greatest first.
  ///   - mated: not empty.
  package init(oneIn n: Int, falling: [Double], mated: [Mated]) {
    falsePositiveRate = 1 / Double(n)
    guard falling.count >= n else {
      (reachedFalsePositiveRate, truePositiveRate, threshold) = (nil, nil, nil)
      reason = "needs \(n) searches for people who are not in the gallery, there are \(falling.count)"
      return
    }
    let threshold = falling[falling.count / n].nextUp
    self.threshold = threshold
    reachedFalsePositiveRate = Double(falling.prefix { $0 >= threshold }.count) / Double(falling.count)
    truePositiveRate = Double(mated.count { $0.isFirst && $0.score >= threshold }) / Double(mated.count)
    reason = nil
  }
}
