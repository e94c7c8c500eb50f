import COneDNN

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
    let scratch = binding.scratch
    let isWinograd = !binding.convolvesDirectly && WinogradTransforms.suit(layer, binding.input.shape)
    let isDepthwise = !binding.convolvesDirectly && DepthwiseConvolution.suits(layer, binding.input.shape)
    let weight = ConvolutionWeight(layer, scratch: scratch)
    if isDepthwise {
      forwardConvolution = DepthwiseConvolution(layer, .forward, from: binding.input, to: binding.output)
    } else if isWinograd {
      forwardConvolution = WinogradConvolution(
        from: binding.input, to: binding.output, weight: WinogradWeight(layer, .forward, scratch: scratch),
        bias: layer.bias, scratch: scratch)
    } else {
      forwardConvolution = Self.directForward(layer, weight, binding)
    }
    guard let outputGradient = binding.outputGradients.first else {
      (backwardConvolution, gradient) = (nil, nil)
      return
    }
    if isWinograd {
      backwardConvolution = binding.inputGradient.map {
        WinogradConvolution(
          from: outputGradient, to: $0, weight: WinogradWeight(layer, .backward, scratch: scratch), bias: nil,
          scratch: scratch)
      }
      gradient = WinogradGradient(layer, input: binding.input, outputGradient: outputGradient, scratch: scratch)
    } else {
      backwardConvolution = binding.inputGradient.map { inputGradient -> any ImageConvolution in
        isDepthwise
          ? DepthwiseConvolution(layer, .backward, from: outputGradient, to: inputGradient)
          : Self.directBackward(layer, weight, from: outputGradient, to: inputGradient, binding)
      }
      guard !binding.sumsGradientInPieces else {
        gradient = PieceGradient(
          weight, input: binding.input, outputGradient: outputGradient, pieces: binding.backwardPieces!,
          scratch: scratch
        ) { images, layout in
          Self.problem(layer, weight, binding, images: images, layout)
        }
        return
      }
      gradient =
        WholeImageDepthwise(layer, input: binding.input, outputGradient: outputGradient, scratch: scratch)
        ?? DirectGradient(
          layer, weight, Self.problem(layer, weight, binding, images: binding.input.batch), input: binding.input,
          outputGradient: outputGradient, scratch: scratch)
    }
  }

  private static func problem(
    _ layer: ConvolutionGeometry, _ weight: ConvolutionWeight, _ binding: Binding, images: Int,
    _ layout: dnnl_memory_desc_t? = nil
  ) -> ConvolutionProblem {
    ConvolutionProblem(
      layer, weight, input: binding.input.shape, output: binding.output.shape, images: images, layout: layout)
  }

  private static func directForward(
    _ layer: ConvolutionGeometry, _ weight: ConvolutionWeight, _ binding: Binding
  ) -> PiecewiseConvolution {
    PiecewiseConvolution(
      from: binding.input, to: binding.output, pieces: binding.forwardPieces, scratch: binding.scratch,
      roles: (DNNL_ARG_SRC, DNNL_ARG_DST)
    ) { layout in
      let reorder = WeightReorder(weight, to: layout, scratch: binding.scratch)
      let bias =
        layer.bias.map { [(DNNL_ARG_BIAS, problem(layer, weight, binding, images: 1).biasMemory($0.value))] } ?? []
      return ([(DNNL_ARG_WEIGHTS, reorder.target)] + bias, reorder.execute)
    } describe: { images, layout in
      problem(layer, weight, binding, images: images, layout).forward(binding.mode)
    }
  }

  private static func directBackward(
    _ layer: ConvolutionGeometry, _ weight: ConvolutionWeight, from outputGradient: Tensor, to inputGradient: Tensor,
    _ binding: Binding
  ) -> PiecewiseConvolution {
    PiecewiseConvolution(
      from: outputGradient, to: inputGradient, pieces: binding.backwardPieces!, scratch: binding.scratch,
      roles: (DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC)
    ) { layout in
      let reorder = WeightReorder(weight, to: layout, scratch: binding.scratch)
      return ([(DNNL_ARG_WEIGHTS, reorder.target)], reorder.execute)
    } describe: { images, layout in
      let hint = problem(layer, weight, binding, images: images).forward(.training)
      defer { dnnl_primitive_desc_destroy(hint) }
      return problem(layer, weight, binding, images: images, layout).backwardData(hint)
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

  /// Where nobody looks yet.
  func computeWeightGradient() {
    guard let gradient else { preconditionFailure("Backward of a convolution in evaluation") }
    gradient.compute()
  }
}
