/// Random numbers as a function of (seed, purpose, two counters), so that they depend on neither threads nor ranks.
///
/// `SplitMix64` from a state mixed of its arguments. `below` and `uniform` are our own because
/// the standard library may change how it draws, and a resumed run must see the same data under a newer Swift.
package struct CounterGenerator: RandomNumberGenerator, Sendable {
  /// Keeps apart the streams that share a seed.
  package enum Purpose: UInt64, Sendable {
    case order = 1
    case augmentation = 2
    case holdout = 3
    case dropout = 4
    case classes = 5
    case personOrder = 16
    case selection = 17
  }

  private var source: SplitMix64

  package init(seed: UInt64, purpose: Purpose, _ first: Int = 0, _ second: Int = 0) {
    var state = seed
    for word in [purpose.rawValue, UInt64(bitPattern: Int64(first)), UInt64(bitPattern: Int64(second))] {
      state = SplitMix64.mixed(state &+ SplitMix64.golden) ^ word
    }
    source = SplitMix64(state: SplitMix64.mixed(state &+ SplitMix64.golden))
  }

  package mutating func next() -> UInt64 { source.next() }

  /// Passes over `count` draws, in no time.
  package mutating func skip(_ count: Int) { source.state &+= SplitMix64.golden &* UInt64(count) }

  /// A number in 0..<bound without bias (Lemire 2019).
  package mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "A random number below \(bound)")
    let range = UInt64(bound)
    var product = next().multipliedFullWidth(by: range)
    if product.low < range {
      let threshold = (0 &- range) % range
      while product.low < threshold { product = next().multipliedFullWidth(by: range) }
    }
    return Int(product.high)
  }

  /// A number in [lower, upper), one of 2^24 steps.
  package mutating func uniform(_ lower: Float, _ upper: Float) -> Float {
    lower + (upper - lower) * (Float(next() >> 40) * 0x1p-24)
  }

  /// 0..<count in random order (Fisher and Yates).
  package mutating func permutation(_ count: Int) -> [Int32] {
    precondition(count <= Int(Int32.max), "A permutation of \(count) samples exceeds Int32")
    var order = [Int32](0..<Int32(count))
    for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, below(last + 1)) }
    return order
  }
}
