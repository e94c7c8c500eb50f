#if canImport(Glibc)
  import Glibc
#endif

/// What the logits' scale is: gamma multiplies the product of embedding and class row.
package enum LogitScale: Sendable, Equatable {
  /// gamma is this constant; the rows' norm, and so the logits' scale gamma * norm, is learned. 1 is the original layer.
  case learned(multiplier: Double)
  /// gamma = s / row norm: the logits' scale is s whatever norm the rows have (the paper's s).
  case fixed(Double)

  package var isFixed: Bool {
    if case .fixed = self { true } else { false }
  }

  package func gamma(rowNorm: Double) -> Double {
    switch self {
    case .learned(let multiplier): multiplier
    case .fixed(let scale): scale / rowNorm
    }
  }

  /// The logits' scale: the logit of cosine 1.
  package func effective(rowNorm: Double) -> Double { gamma(rowNorm: rowNorm) * rowNorm }

  /// The least scale with which N classes can reach the probability P: (N - 1) / N * ln((N - 1) P / (1 - P)).
  ///
  /// Wang et al. 2018, "CosFace", equation 6.
  package static func lowerBound(classCount: Int, probability: Double = 0.9) -> Double {
    precondition(classCount > 1 && probability > 0 && probability < 1, "\(classCount) classes, P = \(probability)")
    let others = Double(classCount - 1)
    return others / Double(classCount) * log(others * probability / (1 - probability))
  }

  /// What training takes unless told: 2.2 times the least scale for the probability 0.9, so 14 for 60 people, 24 for
  /// 7,000, 35 for a million. A larger one narrows the step to the nearest classes, which learns more slowly.
  package static func usual(classCount: Int) -> Double { (2.2 * lowerBound(classCount: classCount)).rounded() }

  /// The loss to expect of untrained directions, at `scale` s and margin m.
  ///
  /// Embedding and class rows point anywhere, so cosines have the mean 0, the variance 1 / K and nearly a normal's shape:
  ///
  ///     ln(exp(-s m) + (N - 1) E) + s m        E = exp(s^2 / (2 K) - s^4 / (4 K^2 (K + 2)))
  ///
  /// E is the mean of exp(s cosine) to the fourth cumulant. It holds where s^2 is not much more than K; beyond, the
  /// largest of N cosines decides and E is too large. Margin and scale shift the loss of chance, ln N, by about s m.
  package static func expectedLoss(classCount: Int, width: Int, scale: Double, margin: Double) -> Double {
    let (k, square) = (Double(width), scale * scale)
    let mean = exp(square / (2 * k) - square * square / (4 * k * k * (k + 2)))
    return log(exp(-scale * margin) + Double(classCount - 1) * mean) + scale * margin
  }
}
