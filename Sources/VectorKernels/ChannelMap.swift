/// z = a x + b per channel, and where there is a slope z = PReLU(a x + b): z where z > 0, slope z elsewhere.
///
/// Rows of a Float per channel. Batch normalization has a = weight / sqrt(var + eps), b = bias - a mean.
@usableFromInline
package struct ChannelMap {
  @usableFromInline package let a: UnsafePointer<Float>
  @usableFromInline package let b: UnsafePointer<Float>
  @usableFromInline package let slope: UnsafePointer<Float>?

  @inlinable
  package init(a: UnsafePointer<Float>, b: UnsafePointer<Float>, slope: UnsafePointer<Float>?) {
    self.a = a
    self.b = b
    self.slope = slope
  }
}
