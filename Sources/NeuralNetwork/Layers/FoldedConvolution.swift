/// A convolution with the batch normalization or the PReLU that follows it, for evaluation only:
///
///     y = PReLU(W' x + b') + r        W' = a W        b' = a b + bias - a mean        a = weight / sqrt(var + eps)
///
/// b is the convolution's own bias; a = 1 where only a PReLU follows. The parameters stay those of the two layers.
final class FoldedConvolution: Layer {
  let convolution: ConvolutionGeometry
  let normalization: BatchNormalization?
  let slope: Parameter?
  /// Of both layers, whose they stay.
  let foldedParameters: [Parameter]
  let kind: LayerKind
  let traits: LayerTraits

  /// The following layer's, whose output this one's is.
  let name: String

  static func canFold(_ following: any Layer) -> Bool { following is BatchNormalization || following is PReLU }

  init(_ convolution: ConvolutionGeometry, _ following: any Layer, addsSecondInput: Bool) {
    precondition(Self.canFold(following), "\(following.name) after \(convolution.name)")
    self.convolution = convolution
    normalization = following as? BatchNormalization
    slope = normalization?.slope ?? (following as? PReLU)?.slope
    name = following.name
    foldedParameters = [convolution.weight] + (convolution.bias.map { [$0] } ?? []) + following.parameters
    kind = LayerKind(convolution, and: following.kind.parts)
    let common: LayerTraits = [.imagewise, .hasBlockedWeight]
    switch (addsSecondInput, slope) {
    case (false, _): traits = common
    case (true, nil): traits = common.union([.addsSecondInput, .overwritesSecondInput])
    case (true, _): traits = common.union(.addsSecondInput)
    }
  }

  func outputShape(_ given: [Shape]) -> Shape {
    let shape = convolution.outputShape(given[0])
    precondition(given.count == 1 || given[1] == shape, "\(name) adds a residual of another shape: \(given)")
    return shape
  }

  func multiplications(of input: Shape) -> Int { convolution.multiplications(of: input) }

  func bind(_ binding: Binding) -> any Operation { FoldedConvolutionOperation(self, binding) }

  /// a and b' of each output channel.
  func fold(into a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>) {
    for channel in 0..<convolution.outputs {
      let own = convolution.bias.map { Double($0.value[channel]) } ?? 0
      guard let normalization else {
        a[channel] = 1
        b[channel] = Float(own)
        continue
      }
      let variance = Double(normalization.runningVariance.value[channel])
      let factor = Double(normalization.weight.value[channel]) / (variance + BatchNormalization.epsilon).squareRoot()
      let mean = Double(normalization.runningMean.value[channel])
      a[channel] = Float(factor)
      b[channel] = Float(Double(normalization.bias.value[channel]) + factor * (own - mean))
    }
  }
}
