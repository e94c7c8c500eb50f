#if canImport(Glibc)
  import Glibc
#endif

/// What a loss does to the cosine of the right class: a value that gives logit and slope for a cosine.
///
/// c = cosine, t = what stands for it at the label, a = multiplier * acos(c) + angle
///
///     t = psi(a) - cosine        dt/dc = multiplier * |sin(a)| / sin(acos(c))
///     psi(a) = (-1)^k cos(a) - 2 k, k = floor(a / pi)        the cosine, continued past pi so that it keeps falling
///
/// | kind | multiplier (m1) | angle (m2) | cosine (m3) | source |
/// |---|---|---|---|---|
/// | `cosine` | 1 | 0 | m | Wang et al. 2018, "CosFace", equation 4 |
/// | `angular` | 1 | m | 0 | Deng et al. 2019, "ArcFace", equation 3 |
/// | `combined` | m1 | m2 | m3 | the same, equation 4; m1 alone is Liu et al. 2017, "SphereFace" |
package struct Margin: Sendable, Equatable {
  /// m1
  package let multiplier: Double
  /// m2, in radians
  package let angle: Double
  /// m3
  package let cosine: Double

  package init(multiplier: Double = 1, angle: Double = 0, cosine: Double = 0) {
    precondition(multiplier >= 1 && angle >= 0 && cosine >= 0, "Margins of \(multiplier), \(angle), \(cosine)")
    (self.multiplier, self.angle, self.cosine) = (multiplier, angle, cosine)
  }

  /// `margin` is m2 of the kind `angular`, else m3, and the papers' unless given; `multiplier` (m1) and `angle` (m2) belong to
  /// `combined`, 1 and 0 unless given.
  package init(_ kind: MarginKind, _ margin: Double? = nil, multiplier: Double? = nil, angle: Double? = nil) {
    let margin = margin ?? kind.usual
    switch kind {
    case .cosine: self = .cosine(margin)
    case .angular: self = .angular(margin)
    case .combined: self.init(multiplier: multiplier ?? 1, angle: angle ?? 0, cosine: margin)
    }
  }

  package static func cosine(_ m: Double) -> Margin { Margin(cosine: m) }

  package static func angular(_ m: Double) -> Margin { Margin(angle: m) }

  /// Whether the angle stays as it is: then the margin is a plain subtraction, and the slope 1.
  package var leavesAngle: Bool { multiplier == 1 && angle == 0 }

  /// What it takes from a cosine of 0, where untrained directions lie: the margin by which their loss is more.
  package var atChance: Double { -applied(to: 0).target }

  /// At the ends of [-1, 1] the angle has no slope: cosines are taken to lie this far from them.
  private static let distance = 1e-7

  /// t and dt/dc.
  package func applied(to value: Double) -> (target: Double, slope: Double) {
    if leavesAngle { return (value - cosine, 1) }
    let c = min(max(value, -1 + Self.distance), 1 - Self.distance)
    let a = multiplier * acos(c) + angle
    let k = (a / Double.pi).rounded(.down)
    let isEven = k.truncatingRemainder(dividingBy: 2) == 0
    return ((isEven ? cos(a) : -cos(a)) - 2 * k - cosine, multiplier * abs(sin(a)) / (1 - c * c).squareRoot())
  }
}

/// What a margin changes.
public enum MarginKind: String, Codable, CaseIterable, Sendable {
  case cosine, angular, combined

  /// The papers' margin: what counts unless another is given.
  package var usual: Double {
    switch self {
    case .cosine: 0.35
    case .angular: 0.5
    case .combined: 0
    }
  }
}
