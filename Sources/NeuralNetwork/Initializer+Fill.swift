import VectorKernels

#if canImport(Glibc)
  import Glibc
#endif

extension Initializer {
  /// Fills `values` with what the parameter `name` starts with.
  ///
  /// Element i depends on (seed, name, i) alone: the number of threads, the order of parameters and the division of the
  /// class weight among ranks change nothing. `offset` is the index of `values`' first element in the whole parameter.
  package func fill(_ values: UnsafeMutableBufferPointer<Float>, seed: UInt64, name: String, offset: Int = 0) {
    let generator = NamedGenerator(seed: seed, name: name)
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

/// `SplitMix64` as a function of a parameter's name and a counter.
private struct NamedGenerator {
  private let key: UInt64

  /// The key is the name's FNV-1a hash mixed with the seed.
  init(seed: UInt64, name: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    key = SplitMix64.mixed(hash ^ SplitMix64.mixed(seed &+ SplitMix64.golden))
  }

  /// Draw `index`, in (0, 1): the middle of one of 2^52 equal pieces.
  private func unit(_ index: Int) -> Double {
    let bits = SplitMix64.mixed(key &+ UInt64(bitPattern: Int64(index)) &* SplitMix64.golden)
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
