package import VectorKernels

/// Depthwise convolutions in AVX-512's registers, for images in blocks of 16 channels.
package enum WideDepthwise {
  @inline(never)
  package static func convolve(
    _ image: DepthwiseImage, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>
  ) {
    image.convolve(SIMD16<Float>.self, x, w, into: y)
  }

  @inline(never)
  package static func spreadGradient(
    _ image: DepthwiseImage, _ dy: UnsafePointer<Float>, _ w: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>
  ) {
    image.spreadGradient(SIMD16<Float>.self, dy, w, into: dx)
  }
}
