/// Three sums per channel: in Float over short stretches, in Double over stretches.
///
/// A Float sum of a million values loses three digits; a Double sum of everything would halve the speed.
struct ChannelSums {
  /// Vectors between two carries into Double.
  static var stretch: Int { 128 }

  private(set) var first = SIMD8<Double>(repeating: 0)
  private(set) var second = SIMD8<Double>(repeating: 0)
  private(set) var third = SIMD8<Double>(repeating: 0)

  @inline(__always)
  mutating func carry(_ a: ChannelVector, _ b: ChannelVector) {
    first += SIMD8<Double>(a)
    second += SIMD8<Double>(b)
  }

  @inline(__always)
  mutating func carry(_ a: ChannelVector, _ b: ChannelVector, _ c: ChannelVector) {
    carry(a, b)
    third += SIMD8<Double>(c)
  }

  static func += (sums: inout ChannelSums, other: ChannelSums) {
    sums.first += other.first
    sums.second += other.second
    sums.third += other.third
  }
}
