/// What the head refuses to compute with. Samples are counted from 0 within the batch that was given.
package enum HeadError: Error, Equatable, CustomStringConvertible {
  /// An embedding of zeros has no direction.
  case zeroEmbedding(sample: Int)
  case nonFiniteEmbedding(sample: Int)
  case nonFiniteLoss(sample: Int, loss: Double)
  case labelOutOfRange(sample: Int, label: Int, classCount: Int)
  /// The mean norm of the class weight's rows: the weight is broken.
  case nonFiniteScale(Double)

  package var description: String {
    switch self {
    case .zeroEmbedding(let sample):
      "The embedding of sample \(sample) is zero: it has no direction to compare."
    case .nonFiniteEmbedding(let sample):
      "The embedding of sample \(sample) is not finite."
    case .nonFiniteLoss(let sample, let loss):
      "The loss of sample \(sample) is \(loss)."
    case .labelOutOfRange(let sample, let label, let classCount):
      "The label of sample \(sample) is \(label), outside 0..<\(classCount)."
    case .nonFiniteScale(let scale):
      "The mean norm of the class weight's rows is \(scale): not finite, or not above 0."
    }
  }

  /// The sample that it is about, counted within the batch; nil where it is about the class weight.
  package var sample: Int? {
    switch self {
    case .zeroEmbedding(let sample), .nonFiniteEmbedding(let sample), .nonFiniteLoss(let sample, _),
      .labelOutOfRange(let sample, _, _):
      sample
    case .nonFiniteScale: nil
    }
  }

  /// The same with samples counted from `first`.
  package func counting(from first: Int) -> HeadError {
    switch self {
    case .zeroEmbedding(let sample): .zeroEmbedding(sample: sample - first)
    case .nonFiniteEmbedding(let sample): .nonFiniteEmbedding(sample: sample - first)
    case .nonFiniteLoss(let sample, let loss): .nonFiniteLoss(sample: sample - first, loss: loss)
    case .labelOutOfRange(let sample, let label, let classCount):
      .labelOutOfRange(sample: sample - first, label: label, classCount: classCount)
    case .nonFiniteScale: self
    }
  }
}
