/// What can be seen of the last step without computing anything again.
extension LargeMarginCosineLoss {
  /// The rows' norms n before the last projection, of those rows that are here; valid where they were gathered: on rank 0,
  /// or with sharded classes everywhere.
  package var rowNorms: UnsafeBufferPointer<Float> { UnsafeBufferPointer(normMemory.elements) }

  /// Cosines of the last forward pass, read off its logits: of each sample with its class, where its row is here, and of
  /// samples with other classes of the step, at most about `negativeLimit`, evenly spread over the step's rows.
  package func cosines(negativeLimit: Int) -> (positive: [Float], negative: [Float]) {
    guard sampleCount > 0, forwardLogitScale > 0 else { return ([], []) }
    let samples = Self.padded(sampleCount)
    let inverse = Float(1 / forwardLogitScale)
    let positive = (0..<sampleCount).filter { labelRows[$0] >= 0 }.map { labelCosines.elements[$0] }
    var negative: [Float] = []
    let step = max(1, activeCount * sampleCount / max(negativeLimit, 1))
    for row in stride(from: 0, to: activeCount, by: step) {
      for sample in 0..<sampleCount where labelRows[sample] != row {
        negative.append(logits.elements[row * samples + sample] * inverse)
      }
    }
    return (positive, negative)
  }
}
