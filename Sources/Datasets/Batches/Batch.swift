/// The images of one rank in one step, in memory of its loader.
///
/// Valid until the loader's next `next()`, `release` or `stop()`.
package struct Batch {
  /// Counted from 0 over all epochs.
  package let step: Int
  package let epoch: Int
  /// S
  package let side: Int
  /// M; may be 0.
  package let count: Int
  /// (M, 3, S, S), RGB, each value in [-1, 1]; aligned to 64 bytes.
  package let images: UnsafeMutableBufferPointer<Float>
  /// (M)
  package let labels: UnsafeBufferPointer<Int32>
  /// (M) Sample numbers of the images, replacements of bad ones included.
  package let samples: UnsafeBufferPointer<Int32>
  /// (M) Whether the augmentation mirrored the image.
  package let isMirrored: UnsafeBufferPointer<Bool>
  /// (M, 3, T, T) The same pictures under the same augmentation at a teacher's side T: where T = S the memory of `images`
  /// itself, without a teacher empty.
  package let teacherImages: UnsafeMutableBufferPointer<Float>
  /// The images that could not be read while this batch was made.
  package let badImages: [BadImage]

  /// Mirrors every one of `images` in place, for flip tests.
  package func mirror() {
    guard let planes = images.baseAddress else { return }
    PixelTransform.mirror(planes, count: count, side: side)
  }
}
