package import VectorKernels

/// A layer bound to the memory of one batch size.
///
/// A pass runs chains of layers, each thread with a few images at a time (see `Schedule`), so an operation hears:
/// `reset`; then, while the batch goes by, `observe` of each piece of its input; `beginForward` when the input is
/// complete; `forward` of each piece. The same backward, where `sumGradient` follows. Calls about different images may
/// come from several threads at once; `reset`, `begin...` and `end...` come from one, outside of any parallel region. A
/// layer that is not imagewise gets the whole batch as one piece.
package protocol Operation {
  /// What makes the output of the first input, from `beginForward` to the end of backward: of layers that say so.
  var channelMap: ChannelMap? { get }
  func reset()
  /// A piece of the first input is there and still in the cache. Only layers that sum over the batch, in training.
  func observe(_ images: Range<Int>)
  func beginForward()
  func forward(_ images: Range<Int>)

  /// A piece of the output's gradient is there and still in the cache. Only layers that sum over the batch.
  func observeGradient(_ images: Range<Int>)
  /// The gradient of the whole output is there. In training only, like the calls below.
  func beginBackward()
  /// Writes the input's gradient.
  func backward(_ images: Range<Int>)
  /// Adds the piece's part of the parameters' gradients, after `backward` of it and of the layer before, when an input
  /// that was not kept has been made again. Only layers for which the binding says so.
  func sumGradient(_ images: Range<Int>)
  /// Completes the parameters' gradients, which add up.
  func endBackward()
}

extension Operation {
  package var channelMap: ChannelMap? { nil }
  package func reset() {}
  package func observe(_ images: Range<Int>) {}
  package func beginForward() {}
  package func observeGradient(_ images: Range<Int>) {}
  package func beginBackward() {}
  package func sumGradient(_ images: Range<Int>) {}
  package func endBackward() {}
}

package enum Mode: Sendable {
  /// Batch statistics, dropout; backward follows.
  case training
  /// Running statistics; nothing is kept.
  case evaluation
}

/// The memory that an operation works on.
package struct Binding {
  package let mode: Mode
  package let inputs: [Tensor]
  /// What makes the first input of `inputs[0]`, where nobody wrote it.
  package let inputMap: ChannelMap?
  package let output: Tensor
  /// dL/d output: one contribution, or two for a layer that `sumsGradients`. Empty in evaluation.
  package let outputGradients: [Tensor]
  /// Where dL/d first input goes; nil where nobody asks for it.
  package let inputGradient: Tensor?
  /// The pieces in which the batch comes.
  package let forwardPieces: Pieces
  /// Nil in evaluation.
  package let backwardPieces: Pieces?
  /// Whether the parameters' gradients are summed piece by piece.
  package let sumsGradientInPieces: Bool
  package let scratch: Scratch
  package let random: SampleKeys
  package let weights: WeightVersion
  /// Convolutions as direct sums, by oneDNN: what Winograd's are compared with.
  package let convolvesDirectly: Bool

  package var input: Tensor { inputs[0] }
}

/// One random key per sample of the batch, set by the trainer before each step, so that dropout is a function of
/// (seed, epoch, sample) and not of the rank that happens to hold the sample.
package final class SampleKeys {
  package var keys: [UInt64] = []
  package init() {}
}

/// Counts the states of a network's weights, so that what evaluation derives from them is made again when they change.
package final class WeightVersion {
  package internal(set) var number = 0
}
