/// TAR at FAR: the share of pairs of the same person that is accepted while at most a given share of pairs of different
/// people is.
///
/// With D pairs of different people and FAR = 10^-k, at most floor(D / 10^k) of them may be accepted; no point between
/// thresholds is invented. Below D = 10^k not one may, and the figure would be that of a larger FAR: it is left out.
package struct AcceptRate: Codable, Equatable, Sendable {
  /// The FAR that was asked for.
  package let falseAcceptRate: Double
  /// The FAR that the threshold has; at most the one asked for.
  package let reachedFalseAcceptRate: Double?
  package let trueAcceptRate: Double?
  package let threshold: Double?
  /// Why there is no figure.
  package let reason: String?
  /// The point that InsightFace's programs print, of a FAR that may be larger: see `ROCCurve.nearestPoint`.
  package let nearestPoint: ROCCurve.Point

  /// At FAR 10^-`exponent`.
  package init(exponent: Int, on curve: ROCCurve, differentCount: Int) throws {
    precondition((1...9).contains(exponent), "FAR 1e-\(exponent)")
    let power = (0..<exponent).reduce(1) { product, _ in product * 10 }
    try self.init(at: 1 / Double(power), on: curve, differentCount: differentCount)
  }

  /// At any FAR above 0, below 1. Every rank that shares the curve's scores calls it.
  package init(at falseAcceptRate: Double, on curve: ROCCurve, differentCount: Int) throws {
    self.falseAcceptRate = falseAcceptRate
    nearestPoint = try curve.nearestPoint(to: falseAcceptRate)
    reason = Self.shortage(at: falseAcceptRate, differentCount: differentCount)
    guard reason == nil else {
      (reachedFalseAcceptRate, trueAcceptRate, threshold) = (nil, nil, nil)
      return
    }
    let point = try curve.point(
      acceptingAtMost: Self.acceptable(at: falseAcceptRate, differentCount: differentCount))
    reachedFalseAcceptRate = point.falseAcceptRate
    trueAcceptRate = point.trueAcceptRate
    threshold = point.threshold
  }

  /// Why there is no figure at this FAR; nil where there is one.
  package static func shortage(at falseAcceptRate: Double, differentCount: Int) -> String? {
    guard acceptable(at: falseAcceptRate, differentCount: differentCount) == 0 else { return nil }
    let needed = Int((1 / falseAcceptRate).rounded())
    let least = 1 / Double(needed) > falseAcceptRate ? needed + 1 : needed
    return "needs \(least) pairs of different people, there are \(differentCount)"
  }

  /// The most pairs of different people whose share is at most `falseAcceptRate`: their quotients are compared, so that 0.29
  /// of 100 is 29.
  package static func acceptable(at falseAcceptRate: Double, differentCount: Int) -> Int {
    let count = Int(falseAcceptRate * Double(differentCount))
    return Double(count + 1) / Double(differentCount) <= falseAcceptRate ? count + 1 : count
  }
}
