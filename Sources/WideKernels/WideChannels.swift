package import VectorKernels

/// `ChannelPasses` in AVX-512's registers.
package enum WideChannels {
  @inline(never)
  package static func addMoments(
    _ group: ChannelGroup, _ x: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Double>, plane: Int
  ) {
    ChannelPasses<SIMD16<Float>>.addMoments(group, x, shift: shift, to: sums, plane: plane)
  }

  @inline(never)
  package static func apply(
    _ map: ChannelMap, _ group: ChannelGroup, _ x: UnsafePointer<Float>, adding residual: UnsafePointer<Float>?,
    to y: UnsafeMutablePointer<Float>
  ) {
    ChannelPasses<SIMD16<Float>>.apply(map, group, x, adding: residual, to: y)
  }

  @inline(never)
  package static func addGradients(
    _ map: ChannelMap, _ group: ChannelGroup, _ dy: UnsafeMutablePointer<Float>, adding other: UnsafePointer<Float>?,
    _ x: UnsafePointer<Float>, mean: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Double>, plane: Int
  ) {
    ChannelPasses<SIMD16<Float>>.addGradients(
      map, group, dy, adding: other, x, mean: mean, to: sums, plane: plane)
  }

  @inline(never)
  package static func applyGradient(
    _ map: ChannelMap, _ group: ChannelGroup, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
    c: UnsafePointer<Float>, d: UnsafePointer<Float>, to dx: UnsafeMutablePointer<Float>
  ) {
    ChannelPasses<SIMD16<Float>>.applyGradient(map, group, dy, x, c: c, d: d, to: dx)
  }
}
