import COneDNN

/// The parameters' gradient of a convolution by oneDNN's primitive for it.
final class DirectGradient: ConvolutionGradient {
  let implementation: String

  private let call: DNNCall
  private let reorder: GradientReorder

  init(
    _ layer: ConvolutionGeometry, _ weight: ConvolutionWeight, _ problem: ConvolutionProblem, input: Tensor,
    outputGradient: Tensor, scratch: Scratch
  ) {
    let hint = problem.forward(.training)
    defer { dnnl_primitive_desc_destroy(hint) }
    let description = problem.backwardWeights(hint)
    implementation = DNNPrimitive.implementation(of: description)
    reorder = GradientReorder(
      weight, from: DNNPrimitive.layout(of: description, dnnl_query_diff_weights_md), bias: layer.bias,
      scratch: scratch)
    func view(_ tensor: Tensor) -> DNNMemory {
      DNNMemory(DNNMemory.describe(tensor.shape, images: tensor.batch), tensor.elements)
    }
    var arguments = [
      (DNNL_ARG_SRC, view(input)), (DNNL_ARG_DIFF_DST, view(outputGradient)), (DNNL_ARG_DIFF_WEIGHTS, reorder.source),
    ]
    if let bias = reorder.biasMemory { arguments.append((DNNL_ARG_DIFF_BIAS, bias)) }
    call = DNNCall(DNNPrimitive(description), arguments, scratch: scratch)
  }

  func compute() {
    reorder.prepare()
    call.execute()
  }

  func accumulate() { reorder.accumulate() }
}
