/// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. Draw n, from 1,
/// is `mixed(state + n golden)`: none needs the one before it.
package struct SplitMix64: RandomNumberGenerator, Sendable {
  package var state: UInt64

  /// What one draw adds to the state.
  @inlinable @inline(__always)
  package static var golden: UInt64 { 0x9E37_79B9_7F4A_7C15 }

  package init(state: UInt64) { self.state = state }

  package mutating func next() -> UInt64 {
    state &+= Self.golden
    return Self.mixed(state)
  }

  /// The finalizer: every bit of the value changes half of the result's.
  @inlinable @inline(__always)
  package static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
