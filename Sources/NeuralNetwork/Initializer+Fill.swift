#if canImport(Glibc)
  import Glibc
#endif

extension Initializer {
  /// Fills `values` with what the parameter `name` starts with.
  ///
  /// Element i depends on (seed, name, i) alone: the number of threads, the order of parameters and the division of the
  /// class weight among ranks change nothing. `offset` is the index of `values`' first element in the whole parameter.
  package func fill(_ values: UnsafeMutableBufferPointer<Float>, seed: UInt64, name: String, offset: Int = 0) {
    let generator = CounterGenerator(seed: seed, name: name)
    switch self {
    case .constant(let value):
      values.update(repeating: value)
    case .normal(let deviation):
      generator.normals(values, deviation: Double(deviation), offset: offset)
    case .uniformFanIn(let fanIn):
      generator.uniforms(values, bound: 1 / Double(fanIn).squareRoot(), offset: offset)
    case .xavierNormal(let fanIn, let fanOut):
      generator.normals(values, deviation: (2 / Double(fanIn + fanOut)).squareRoot(), offset: offset)
    case .kaimingNormal(let fan):
      generator.normals(values, deviation: (2 / Double(fan)).squareRoot(), offset: offset)
    }
  }
}

/// SplitMix64 (Steele, Lea and Flood 2014) used as a function of a counter: draw i needs no draw before it.
private struct CounterGenerator {
  private let key: UInt64
  private static let golden: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// The key is the name's FNV-1a hash mixed with the seed.
  init(seed: UInt64, name: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    key = Self.mix(hash ^ Self.mix(seed &+ Self.golden))
  }

  private static func mix(_ x: UInt64) -> UInt64 {
    var z = x
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Draw `index`, in (0, 1): the middle of one of 2^52 equal pieces.
  private func unit(_ index: Int) -> Double {
    let bits = Self.mix(key &+ UInt64(bitPattern: Int64(index)) &* Self.golden)
    return (Double(bits >> 12) + 0.5) * 0x1p-52
  }

  func uniforms(_ values: UnsafeMutableBufferPointer<Float>, bound: Double, offset: Int) {
    guard let start = values.baseAddress else { return }
    Parallel.ranges(values.count) { range in
      for i in range { start[i] = Float((2 * unit(offset + i) - 1) * bound) }
    }
  }

  /// Elements 2j and 2j + 1 are the two normals that Box and Muller (1958) make of draws 2j and 2j + 1.
  func normals(_ values: UnsafeMutableBufferPointer<Float>, deviation: Double, offset: Int) {
    guard let start = values.baseAddress else { return }
    Parallel.ranges(values.count) { range in
      var i = range.lowerBound
      while i < range.upperBound {
        let pair = (offset + i) & ~1
        let radius = deviation * (-2 * log(unit(pair))).squareRoot()
        let angle = 2 * Double.pi * unit(pair + 1)
        if offset + i == pair {
          start[i] = Float(radius * cos(angle))
          i += 1
          if i == range.upperBound { return }
        }
        start[i] = Float(radius * sin(angle))
        i += 1
      }
    }
  }
}
