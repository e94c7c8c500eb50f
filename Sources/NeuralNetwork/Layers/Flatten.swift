/// Images (C, H, W) to feature vectors of C H W values in PyTorch's order, out of the blocked layout.
package final class Flatten: Layer {
  package let name: String
  package let traits: LayerTraits = []
  package let kind = LayerKind(.other, "flatten")

  package init(_ name: String) { self.name = name }

  package func outputShape(_ given: [Shape]) -> Shape { .features(given[0].count, type: given[0].type) }

  package func bind(_ binding: Binding) -> any Operation { FlattenOperation(binding) }
}

/// One pass over a small tensor, each way.
private final class FlattenOperation: Operation {
  private let binding: Binding

  init(_ binding: Binding) { self.binding = binding }

  func forward(_ images: Range<Int>) {
    let (x, y) = (binding.input.elements, binding.output.elements)
    forEach { blocked, plain in y[plain] = x[blocked] }
  }

  func backward(_ images: Range<Int>) {
    guard let dx = binding.inputGradient?.elements else { return }
    let dy = binding.outputGradients[0].elements
    forEach { blocked, plain in dx[blocked] = dy[plain] }
  }

  private func forEach(_ body: (_ blocked: Int, _ plain: Int) -> Void) {
    let shape = binding.input.shape
    let block = shape.layout == .blocked ? DNN.channelBlock : 1
    let groups = shape.channels / block
    let positions = shape.positions
    Parallel.ranges(binding.input.batch * groups) { range in
      for group in range {
        let start = group * positions * block
        for lane in 0..<block {
          for position in 0..<positions { body(start + position * block + lane, start + lane * positions + position) }
        }
      }
    }
  }
}
