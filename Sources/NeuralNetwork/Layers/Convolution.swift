/// Two-dimensional cross-correlation (what PyTorch's `Conv2d` computes), dense, grouped or depthwise.
///
/// N = batch, C = input channels, O = output channels, G = groups, k = kernel side.
/// x (N, C, H, W)   w (O, C / G, k, k)   b (O)   y (N, O, H', W'), H' = (H + 2 padding - k) / stride + 1.
package final class Convolution: Layer {
  package var traits: LayerTraits {
    parameters.contains(where: \.isTrained)
      ? [.readsInput, .imagewise, .hasBlockedWeight] : [.imagewise, .hasBlockedWeight]
  }

  let geometry: ConvolutionGeometry

  package var name: String { geometry.name }
  package var kind: LayerKind { LayerKind(geometry) }
  package var parameters: [Parameter] { [geometry.weight] + (geometry.bias.map { [$0] } ?? []) }

  package init(
    _ name: String, inputs: Int, outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, groups: Int = 1,
    bias: Bool = false, initializer: Initializer
  ) {
    precondition(
      inputs % groups == 0 && outputs % groups == 0, "\(name): \(inputs) and \(outputs) channels in \(groups) groups")
    precondition(
      kernel > 0 && stride > 0 && padding >= 0, "\(name): kernel \(kernel), stride \(stride), padding \(padding)")
    geometry = ConvolutionGeometry(
      name: name, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: padding, groups: groups,
      weight: Parameter("\(name).weight", [outputs, inputs / groups, kernel, kernel], initializer),
      bias: bias ? Parameter("\(name).bias", [outputs], .constant(0)) : nil)
  }

  package func outputShape(_ given: [Shape]) -> Shape { geometry.outputShape(given[0]) }

  package func multiplications(of input: Shape) -> Int { geometry.multiplications(of: input) }

  /// Where the weight is small beside a piece, so that adding up its gradients costs less than reading the piece again.
  package func sumsGradientInPieces(of input: Shape, images: Int) -> Bool {
    geometry.bias == nil && geometry.weight.isTrained && !WinogradConvolution.suits(geometry, input)
      && !WholeImageDepthwise.suits(geometry, input)
      && 2 * geometry.weight.count <= images * (input.count + outputShape([input]).count)
  }

  package func leastImages(of input: Shape) -> Int {
    WinogradConvolution.suits(geometry, input) ? WinogradConvolution.blockImages(geometry, input) : 1
  }

  package func mapsInput(of input: Shape) -> Bool { WinogradConvolution.suits(geometry, input) }

  package func bind(_ binding: Binding) -> any Operation { ConvolutionOperation(geometry, binding) }
}
