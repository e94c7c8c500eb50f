/// Cosines are whole numbers of 2^-44.
///
/// Sums in another order differ in their last bits. What differs by less than 6e-14 is a tie: a network that gives everybody
/// one vector tells nobody from anybody.
package enum CosineStep {
  private static let inOne = 0x1p44

  /// Steps in the cosine nearest to `value`, from -2^44 to 2^44; `value` is finite.
  package static func count(in value: Double) -> Int { Int((min(1, max(-1, value)) * inOne).rounded()) }

  package static func value(of steps: Int) -> Double { Double(steps) / inOne }

  /// The least steps whose value is at or above `threshold`, which is finite, not far from [-1, 1].
  package static func least(atOrAbove threshold: Double) -> Int { Int((threshold * inOne).rounded(.up)) }

  /// `value` as a cosine: in [-1, 1], a whole number of steps. Rounding may leave it an ulp outside before.
  package static func rounded(_ value: Double) -> Double { min(1, max(-1, (value * inOne).rounded() / inOne)) }
}
