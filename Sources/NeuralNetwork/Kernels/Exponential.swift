/// e^x for eight Floats at once.
///
/// x = n ln 2 + r with |r| <= ln(2) / 2; e^r by the polynomial of Cephes' `expf` (S. Moshier), 2^n by the exponent's
/// bits. Relative error below 1.3e-7 for -87.3 <= x <= 88.3, where the result is a normal Float; 0 below -87.3;
/// not meant for more than 88.3. NaN gives NaN: a softmax over broken logits stays visibly broken.
///
/// No denormal number comes out, and none was found in weights or momenta after 230 epochs at loss 0, scale 64: with
/// flush-to-zero the same run gives the same bytes in the same time, so that the processor's default stays.
@inline(__always)
package func exponential(_ x: SIMD8<Float>) -> SIMD8<Float> {
  let smallest: SIMD8<Float> = SIMD8(repeating: -87.3)
  let underflows = x .< smallest
  let bounded = x.replacing(with: smallest, where: underflows)
  // Adding 1.5 * 2^23 leaves the rounded integer in the low bits of the mantissa.
  let shift = SIMD8<Float>(repeating: 12_582_912)
  let shifted = shift.addingProduct(bounded, SIMD8(repeating: 1.442_695_04))
  let n = shifted - shift
  // ln 2 in two pieces: n times the first is exact.
  let r = bounded.addingProduct(n, SIMD8(repeating: -0.693_359_375))
    .addingProduct(n, SIMD8(repeating: 2.121_944_4e-4))
  var p = SIMD8<Float>(repeating: 1.987_569_15e-4)
  p = SIMD8(repeating: 1.398_199_950_7e-3).addingProduct(p, r)
  p = SIMD8(repeating: 8.333_451_907_3e-3).addingProduct(p, r)
  p = SIMD8(repeating: 4.166_579_589_4e-2).addingProduct(p, r)
  p = SIMD8(repeating: 1.666_666_545_9e-1).addingProduct(p, r)
  p = SIMD8(repeating: 5.000_000_120_1e-1).addingProduct(p, r)
  let fraction = (r + 1).addingProduct(p, r * r)
  let bits = unsafeBitCast(shifted, to: SIMD8<Int32>.self) &<< 23
  let power = unsafeBitCast(bits &+ SIMD8<Int32>(repeating: 0x3f80_0000), to: SIMD8<Float>.self)
  return (fraction * power).replacing(with: 0, where: underflows)
}
