/// bfloat16: the upper half of a Float, so the same range and 8 bits of precision in place of 24.
///
/// Relative error of a rounded value: at most 2^-8. Values past the largest bfloat16 become infinite, NaN stays NaN.
package enum BFloat16 {
  /// Rounds to the nearest, ties to even. One read, one write of half as much.
  package static func encode(
    _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    // Plain loops over integers: the compiler makes vectors of them, which it does not of SIMD8's conversions.
    for i in 0..<count { target[i] = encode(source[i]) }
  }

  /// Exact.
  package static func decode(
    _ source: UnsafePointer<UInt16>, into target: UnsafeMutablePointer<Float>, count: Int
  ) {
    for i in 0..<count { target[i] = decode(source[i]) }
  }

  @inline(__always)
  package static func encode(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = bits &+ 0x7fff &+ ((bits &>> 16) & 1)
    // Rounding could carry a NaN's bits into the sign; it gets its quiet bit instead.
    let isNaN = bits & 0x7fff_ffff > 0x7f80_0000
    return UInt16(truncatingIfNeeded: (isNaN ? bits | 0x0040_0000 : rounded) &>> 16)
  }

  @inline(__always)
  package static func decode(_ value: UInt16) -> Float { Float(bitPattern: UInt32(value) &<< 16) }
}
