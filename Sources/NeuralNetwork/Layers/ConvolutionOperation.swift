/// A convolution bound to one batch size, each direction by the means that suits it: oneDNN's primitives, Winograd's
/// minimal filtering for 3 x 3 of stride 1, or our own kernels for depthwise 3 x 3.
///
/// Activations stay in the blocked layout from layer to layer. The weight lies in PyTorch's order and is brought into
/// the order that is needed right before it is used: a weight is small beside the activations.
///
/// Activations come in pieces that lie in the cache. The weight's gradient is summed over them where the weight is small
/// beside a piece, for each thread needs a sum of its own; else it is computed from the whole batch at the end.
final class ConvolutionOperation: Operation {
  private let forwardConvolution: any ImageConvolution
  private let backwardConvolution: (any ImageConvolution)?
  private let gradient: (any ConvolutionGradient)?

  /// For tests and diagnosis.
  var implementations: [String] {
    [forwardConvolution.implementation]
      + [backwardConvolution?.implementation, gradient?.implementation].compactMap { $0 }
  }

  init(_ layer: ConvolutionGeometry, _ binding: Binding) {
    let (input, scratch) = (binding.input, binding.scratch)
    let isWinograd = !binding.convolvesDirectly && WinogradConvolution.suits(layer, input.shape)
    precondition(isWinograd || binding.inputMap == nil, "\(layer.name) takes its input as it is")
    let isDepthwise = !binding.convolvesDirectly && DepthwiseConvolution.suits(layer, input.shape)
    let weight = ConvolutionWeight(layer, scratch: scratch)
    let direct = DNNConvolution(layer, weight, input: input.shape, hasBias: layer.bias != nil)
    if isDepthwise {
      forwardConvolution = DepthwiseConvolution(layer, .forward, from: input, to: binding.output)
    } else if isWinograd {
      forwardConvolution = WinogradConvolution(
        from: input, map: binding.inputMap, to: binding.output,
        weight: WinogradWeight(layer, .forward, scratch: scratch), bias: layer.bias, scratch: scratch)
    } else {
      forwardConvolution = PiecewiseConvolution(
        direct.primitives(.forward(binding.mode), sizes: binding.forwardPieces.sizes), from: input, to: binding.output,
        pieces: binding.forwardPieces, weight: weight, bias: layer.bias, scratch: scratch)
    }
    guard let outputGradient = binding.outputGradients.first, let pieces = binding.backwardPieces else {
      (backwardConvolution, gradient) = (nil, nil)
      return
    }
    backwardConvolution = binding.inputGradient.map { inputGradient -> any ImageConvolution in
      if isDepthwise { return DepthwiseConvolution(layer, .backward, from: outputGradient, to: inputGradient) }
      if isWinograd {
        return WinogradConvolution(
          from: outputGradient, map: nil, to: inputGradient,
          weight: WinogradWeight(layer, .backward, scratch: scratch), bias: nil, scratch: scratch)
      }
      return PiecewiseConvolution(
        direct.primitives(.backwardData, sizes: pieces.sizes), from: outputGradient, to: inputGradient, pieces: pieces,
        weight: weight, scratch: scratch)
    }
    guard layer.weight.isTrained || layer.bias?.isTrained == true else {
      gradient = nil
      return
    }
    if isWinograd {
      gradient = WinogradGradient(
        layer, input: input, map: binding.inputMap, outputGradient: outputGradient, scratch: scratch)
    } else if binding.sumsGradientInPieces {
      gradient = PieceGradient(
        direct, weight, input: input, outputGradient: outputGradient, pieces: pieces, scratch: scratch)
    } else {
      gradient =
        WholeImageDepthwise(layer, input: input, outputGradient: outputGradient, scratch: scratch)
        ?? DirectGradient(
          direct, weight, bias: layer.bias, input: input, outputGradient: outputGradient, scratch: scratch)
    }
  }

  func beginForward() { forwardConvolution.prepareWeight() }

  func forward(_ images: Range<Int>) { forwardConvolution.execute(images) }

  func beginBackward() { backwardConvolution?.prepareWeight() }

  func backward(_ images: Range<Int>) { backwardConvolution?.execute(images) }

  func sumGradient(_ images: Range<Int>) { gradient?.add(images) }

  func endBackward() {
    computeWeightGradient()
    gradient?.accumulate()
  }

  /// Where nobody looks yet; nothing where the weight is frozen.
  func computeWeightGradient() {
    gradient?.compute()
  }
}
