import COneDNN

/// A convolution's primitives for one batch size.
///
/// Activations stay in the blocked layout from layer to layer. The weight lies in PyTorch's order and is brought into
/// the layout that each primitive chose right before it runs: a weight is small beside the activations.
///
/// Activations come in pieces that lie in the cache. The weight's gradient is computed from the whole batch at the end:
/// in pieces, each thread would need a sum of its own, as large as the weight.
final class ConvolutionOperation: Operation {
  private let layer: Convolution
  private let forwardConvolution: PiecewiseConvolution
  private let forwardWeight: WeightReorder
  private var backwardData: (convolution: PiecewiseConvolution, weight: WeightReorder)?
  private var backwardWeight: (call: DNNCall, gradient: GradientReorder)?
  private var wholeImage: WholeImageDepthwise?
  /// Names of the implementations that oneDNN chose, for tests and diagnosis.
  private(set) var implementations: [String] = []

  init(_ layer: Convolution, _ binding: Binding) {
    self.layer = layer
    let scratch = binding.scratch
    let weight = ConvolutionWeight(layer, scratch: scratch)
    func problem(_ images: Int, _ layout: dnnl_memory_desc_t? = nil) -> ConvolutionProblem {
      ConvolutionProblem(
        layer, weight, input: binding.input.shape, output: binding.output.shape, images: images, layout: layout)
    }

    var reorder: WeightReorder?
    forwardConvolution = PiecewiseConvolution(
      from: binding.input, to: binding.output, pieces: binding.forwardPieces, scratch: scratch,
      roles: (DNNL_ARG_SRC, DNNL_ARG_DST)
    ) { layout in
      let made = WeightReorder(weight, to: layout, scratch: scratch)
      reorder = made
      let bias = layer.bias.map { [(DNNL_ARG_BIAS, problem(1).biasMemory($0.value))] } ?? []
      return [(DNNL_ARG_WEIGHTS, made.target)] + bias
    } describe: { images, layout in
      problem(images, layout).forward(binding.mode)
    }
    forwardWeight = reorder!
    implementations.append(forwardConvolution.implementation)
    guard binding.mode == .training else { return }

    let outputGradient = binding.outputGradients[0]
    if let gradient = binding.inputGradient {
      var reorder: WeightReorder?
      let convolution = PiecewiseConvolution(
        from: outputGradient, to: gradient, pieces: binding.backwardPieces, scratch: scratch,
        roles: (DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC)
      ) { layout in
        let made = WeightReorder(weight, to: layout, scratch: scratch)
        reorder = made
        return [(DNNL_ARG_WEIGHTS, made.target)]
      } describe: { images, layout in
        let hint = problem(images).forward(.training)
        defer { dnnl_primitive_desc_destroy(hint) }
        return problem(images, layout).backwardData(hint)
      }
      implementations.append(convolution.implementation)
      backwardData = (convolution, reorder!)
    }
    wholeImage = WholeImageDepthwise(layer, input: binding.input, outputGradient: outputGradient)
    if wholeImage == nil { makeBackwardWeight(problem(binding.input.batch), weight, binding) }
  }

  private func makeBackwardWeight(_ problem: ConvolutionProblem, _ weight: ConvolutionWeight, _ binding: Binding) {
    let hint = problem.forward(.training)
    defer { dnnl_primitive_desc_destroy(hint) }
    let description = problem.backwardWeights(hint)
    implementations.append(DNNPrimitive.implementation(of: description))
    let reorder = GradientReorder(
      weight, from: DNNPrimitive.layout(of: description, dnnl_query_diff_weights_md), bias: layer.bias,
      scratch: binding.scratch)
    func view(_ tensor: Tensor) -> DNNMemory {
      DNNMemory(DNNMemory.describe(tensor.shape, images: tensor.batch), tensor.elements)
    }
    var arguments = [
      (DNNL_ARG_SRC, view(binding.input)), (DNNL_ARG_DIFF_DST, view(binding.outputGradients[0])),
      (DNNL_ARG_DIFF_WEIGHTS, reorder.source),
    ]
    if let bias = reorder.biasMemory { arguments.append((DNNL_ARG_DIFF_BIAS, bias)) }
    backwardWeight = (DNNCall(DNNPrimitive(description), arguments, scratch: binding.scratch), reorder)
  }

  func beginForward() { forwardWeight.execute() }

  func forward(_ images: Range<Int>) { forwardConvolution.execute(images) }

  func beginBackward() { backwardData?.weight.execute() }

  func backward(_ images: Range<Int>) { backwardData?.convolution.execute(images) }

  func endBackward() {
    computeWeightGradient()
    backwardWeight?.gradient.accumulate()
  }

  /// Into the scratch, in the primitive's layout; the exception adds right away.
  func computeWeightGradient() {
    if let wholeImage { return wholeImage.accumulate(into: layer.weight.gradient.baseAddress!) }
    guard let backwardWeight else { preconditionFailure("Backward of \(layer.name) in evaluation") }
    backwardWeight.gradient.prepare()
    backwardWeight.call.execute()
  }
}
