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

  /// At FAR 10^-`exponent`.
  package init(exponent: Int, on curve: ROCCurve, differentCount: Int) {
    precondition((1...9).contains(exponent), "FAR 1e-\(exponent)")
    let needed = (0..<exponent).reduce(1) { product, _ in product * 10 }
    falseAcceptRate = 1 / Double(needed)
    guard differentCount >= needed else {
      (reachedFalseAcceptRate, trueAcceptRate, threshold) = (nil, nil, nil)
      reason = "needs \(needed) pairs of different people, there are \(differentCount)"
      return
    }
    let point = curve.point(acceptingAtMost: differentCount / needed)
    reachedFalseAcceptRate = point.falseAcceptRate
    trueAcceptRate = point.trueAcceptRate
    threshold = point.threshold
    reason = nil
  }
}
