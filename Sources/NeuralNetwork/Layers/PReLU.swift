/// Parametric ReLU with a slope per channel, where wanted with the addition of a residual that follows it:
/// y = x where x > 0, slope x elsewhere; plus r. He et al. 2015, equation 1.
package final class PReLU: Layer {
  package let name: String
  package let parameters: [Parameter]
  package let traits: LayerTraits

  var slope: Parameter { parameters[0] }

  package init(_ name: String, channels: Int, residual: Bool = false) {
    self.name = name
    parameters = [Parameter("\(name).weight", [channels], .constant(0.25))]
    let common: LayerTraits = [.readsInput, .overwritesInput, .overwritesGradient, .sumsGradients, .imagewise]
    traits = residual ? common.union(.addsSecondInput) : common
  }

  package func outputShape(_ given: [Shape]) -> Shape {
    precondition(given.allSatisfy { $0 == given[0] }, "\(name) adds a residual of another shape: \(given)")
    precondition(given[0].channels == slope.count, "\(name) over \(slope.count) channels given \(given[0])")
    return given[0]
  }

  package func bind(_ binding: Binding) -> any Operation { PReLUOperation(self, binding) }
}

/// PReLU bound to one batch size: the channel kernel with a = 1 and b = 0.
///
/// Backward goes twice over a piece, the second time in the cache.
private final class PReLUOperation: Operation {
  private let layer: PReLU
  private let binding: Binding
  private let kernel: ChannelKernel
  private let sums: ChannelSumsTable
  private let one = ChannelVector(repeating: 1)

  private var view: ChannelView { kernel.view }

  init(_ layer: PReLU, _ binding: Binding) {
    self.layer = layer
    self.binding = binding
    kernel = ChannelKernel(view: ChannelView(binding.input))
    sums = ChannelSumsTable(groups: binding.mode == .training ? kernel.view.groups : 0)
  }

  func reset() { sums.clear() }

  func forward(_ images: Range<Int>) {
    let (x, y) = (binding.input.vectors(images), binding.output.vectors(images))
    let residual = binding.inputs.count > 1 ? binding.inputs[1].vectors(images) : nil
    let slope = layer.slope.value.baseAddress!
    Parallel.ranges(view.groups) { groups in
      for image in view.images(images) {
        for group in groups {
          kernel.apply(
            x, to: y, image: image, group: group, a: one, b: .zero, slope: slope.vector(group), residual: residual)
        }
      }
    }
  }

  func backward(_ images: Range<Int>) {
    let (x, dy) = (binding.input.vectors(images), binding.outputGradients[0].vectors(images))
    let other = binding.outputGradients.count > 1 ? binding.outputGradients[1].vectors(images) : nil
    let dx = binding.inputGradient?.vectors(images)
    let slope = layer.slope.value.baseAddress!
    sums.add(view.images(images), view) { image, group, _ in
      let sums = kernel.gradientSums(
        dy, adding: other, x, image: image, group: group, a: one, b: .zero, mean: .zero, slope: slope.vector(group))
      if let dx {
        kernel.applyGradient(
          dy, x, to: dx, image: image, group: group, a: one, b: .zero, c: .zero, d: .zero, slope: slope.vector(group))
      }
      return sums
    } firstValue: { _ in
      .zero
    }
  }

  func endBackward() {
    for group in 0..<view.groups {
      let sum = sums.total(group).third
      for lane in 0..<ChannelView.lanes {
        layer.slope.gradient[group * ChannelView.lanes + lane] += Float(sum[lane])
      }
    }
  }
}
