/// What joins a softmax whose classes are divided among ranks. Replicated classes need none.
///
/// Each closure is a collective over all ranks that hold classes, given one value per sample and called in this order,
/// once each in a forward pass: `maximum`, then `sum`.
package struct SoftmaxReductions {
  /// Replaces each element with its maximum over the ranks: the samples' largest logits.
  package var maximum: (UnsafeMutableBufferPointer<Float>) throws -> Void
  /// Replaces each element with its sum over the ranks: first M sums of exponentials, then M logits of the labels,
  /// 0 from the ranks that do not hold the label's row. One message in place of two.
  package var sum: (UnsafeMutableBufferPointer<Double>) throws -> Void

  package init(
    maximum: @escaping (UnsafeMutableBufferPointer<Float>) throws -> Void,
    sum: @escaping (UnsafeMutableBufferPointer<Double>) throws -> Void
  ) {
    self.maximum = maximum
    self.sum = sum
  }
}
