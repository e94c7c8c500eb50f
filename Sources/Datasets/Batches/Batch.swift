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
  /// (M, 3, T, T) The same pictures in a teacher's size; those of `images` where that is the same, none without a teacher.
  package let teacherImages: UnsafeMutableBufferPointer<Float>
  /// (M) Whether the augmentation mirrored it.
  package let isMirrored: UnsafeBufferPointer<Bool>
  /// (M)
  package let labels: UnsafeBufferPointer<Int32>
  /// (M) Sample numbers of the images, replacements of bad ones included.
  package let samples: UnsafeBufferPointer<Int32>
  /// The images that could not be read while this batch was made.
  package let badImages: [BadImage]

  /// Mirrors every image in place, for flip tests.
  package func mirror() {
    guard let planes = images.baseAddress else { return }
    PixelTransform.mirror(planes, count: count, side: side)
  }
}
