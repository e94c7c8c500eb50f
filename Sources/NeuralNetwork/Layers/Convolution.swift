/// Two-dimensional cross-correlation (what PyTorch's `Conv2d` computes), dense, grouped or depthwise.
///
/// N = batch, C = input channels, O = output channels, G = groups, k = kernel side.
/// x (N, C, H, W)   w (O, C / G, k, k)   b (O)   y (N, O, H', W'), H' = (H + 2 padding - k) / stride + 1.
package final class Convolution: Layer {
  package let name: String
  package let parameters: [Parameter]
  package let traits: LayerTraits = [.readsInput, .imagewise, .hasBlockedWeight]

  let inputs: Int
  let outputs: Int
  let kernel: Int
  let stride: Int
  let padding: Int
  let groups: Int

  var weight: Parameter { parameters[0] }
  var bias: Parameter? { parameters.count > 1 ? parameters[1] : nil }

  package init(
    _ name: String, inputs: Int, outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, groups: Int = 1,
    bias: Bool = false, initializer: Initializer
  ) {
    precondition(
      inputs % groups == 0 && outputs % groups == 0, "\(name): \(inputs) and \(outputs) channels in \(groups) groups")
    precondition(
      kernel > 0 && stride > 0 && padding >= 0, "\(name): kernel \(kernel), stride \(stride), padding \(padding)")
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.groups = groups
    let weight = Parameter("\(name).weight", [outputs, inputs / groups, kernel, kernel], initializer)
    parameters = bias ? [weight, Parameter("\(name).bias", [outputs], .constant(0))] : [weight]
  }

  package func outputShape(_ given: [Shape]) -> Shape {
    let input = given[0]
    precondition(input.channels == inputs, "\(name) over \(inputs) channels given \(input)")
    let height = (input.height + 2 * padding - kernel) / stride + 1
    let width = (input.width + 2 * padding - kernel) / stride + 1
    return .image(outputs, height, width)
  }

  /// Where the weight is small beside a piece, so that adding up its gradients costs less than reading the piece again.
  package func sumsGradientInPieces(of input: Shape, images: Int) -> Bool {
    bias == nil && !WinogradTransforms.suit(self, input) && !WholeImageDepthwise.suits(self, input)
      && 2 * weight.count <= images * (input.count + outputShape([input]).count)
  }

  package func bind(_ binding: Binding) -> any Operation { ConvolutionOperation(self, binding) }
}
