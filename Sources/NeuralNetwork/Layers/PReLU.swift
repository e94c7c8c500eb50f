import VectorKernels

/// Parametric ReLU with a slope per channel, where wanted with the addition of a residual that follows it:
/// y = x where x > 0, slope x elsewhere; plus r. He et al. 2015, equation 1.
package final class PReLU: Layer {
  package let name: String
  package let parameters: [Parameter]
  private let takesResidual: Bool

  var slope: Parameter { parameters[0] }

  package init(_ name: String, channels: Int, residual: Bool = false) {
    self.name = name
    parameters = [Parameter("\(name).weight", [channels], .constant(0.25))]
    takesResidual = residual
  }

  package var traits: LayerTraits {
    var traits: LayerTraits = [.readsInput, .overwritesInput, .overwritesGradient, .imagewise]
    if slope.isTrained { traits.formUnion([.sumsGradients, .sumsGradientsInBackward]) }
    traits.formUnion(takesResidual ? .addsSecondInput : .mapsChannels)
    return traits
  }

  package var kind: LayerKind { LayerKind(.normalization, "prelu").and(takesResidual ? "add" : nil) }

  package func outputShape(_ given: [Shape]) -> Shape {
    precondition(given.allSatisfy { $0 == given[0] }, "\(name) adds a residual of another shape: \(given)")
    precondition(given[0].channels == slope.count, "\(name) over \(slope.count) channels given \(given[0])")
    return given[0]
  }

  package func bind(_ binding: Binding) -> any Operation { PReLUOperation(self, binding) }
}

/// PReLU bound to one batch size: the channels' kernels with a = 1 and b = 0.
///
/// Backward goes twice over a piece, the second time in the cache.
private final class PReLUOperation: Operation {
  private let layer: PReLU
  private let binding: Binding
  private let view: ChannelView
  private let sums: ChannelSumsTable
  private let prelu: PReLUMap

  var channelMap: ChannelMap? { prelu.map }

  init(_ layer: PReLU, _ binding: Binding) {
    self.layer = layer
    self.binding = binding
    view = ChannelView(binding.input)
    sums = ChannelSumsTable(view, isUsed: binding.mode == .training && layer.slope.isTrained)
    prelu = PReLUMap(layer.slope)
  }

  func reset() { sums.clear() }

  func forward(_ images: Range<Int>) {
    let (x, y) = (binding.input.base(images), binding.output.base(images))
    let residual = binding.inputs.count > 1 ? binding.inputs[1].base(images) : nil
    view.forEach(images) { view.kernels.apply(prelu.map, $0, x, adding: residual, to: y) }
  }

  func backward(_ images: Range<Int>) {
    let (x, dy) = (binding.input.base(images), binding.outputGradients[0].base(images))
    let other = binding.outputGradients.count > 1 ? binding.outputGradients[1].base(images) : nil
    let dx = binding.inputGradient?.base(images)
    guard layer.slope.isTrained else {
      guard let dx else { return }
      return view.forEach(images) {
        view.kernels.applyGradient(prelu.map, $0, dy, x, c: prelu.zero, d: prelu.zero, to: dx)
      }
    }
    sums.add(images) { group, _, sums in
      view.kernels.addGradients(prelu.map, group, dy, adding: other, x, mean: prelu.zero, to: sums)
      if let dx { view.kernels.applyGradient(prelu.map, group, dy, x, c: prelu.zero, d: prelu.zero, to: dx) }
    }
  }

  func endBackward() {
    guard layer.slope.isTrained else { return }
    for channel in 0..<layer.slope.count { layer.slope.gradient[channel] += Float(sums.total(2, channel)) }
  }
}
