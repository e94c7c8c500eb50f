import VectorKernels

/// Sets each value to 0 with probability p and scales the others by 1 / (1 - p); evaluation passes all on.
///
/// What falls is a function of the sample's key (seed, epoch, sample) and the value's index, not of ranks or threads.
package final class Dropout: Layer {
  package let name: String
  package let traits: LayerTraits = [.overwritesInput, .overwritesGradient]
  package let kind = LayerKind(.other, "dropout")
  let probability: Double

  package init(_ name: String, probability: Double) {
    precondition((0..<1).contains(probability), "\(name) with probability \(probability)")
    self.name = name
    self.probability = probability
  }

  package func outputShape(_ given: [Shape]) -> Shape { given[0] }

  package func bind(_ binding: Binding) -> any Operation { DropoutOperation(self, binding) }
}

private final class DropoutOperation: Operation {
  private let layer: Dropout
  private let binding: Binding
  /// Values whose random 64 bits lie below this fall.
  private let threshold: UInt64

  init(_ layer: Dropout, _ binding: Binding) {
    self.layer = layer
    self.binding = binding
    threshold = UInt64(layer.probability * 0x1p64)
  }

  func forward(_ images: Range<Int>) {
    let (input, output) = (binding.input, binding.output)
    switch binding.mode {
    case .evaluation:
      if input.elements != output.elements { output.elements.update(from: input.elements, count: input.count) }
    case .training: mask(input.elements, into: output.elements)
    }
  }

  func backward(_ images: Range<Int>) {
    guard let dx = binding.inputGradient else { return }
    mask(binding.outputGradients[0].elements, into: dx.elements)
  }

  private func mask(_ from: UnsafeMutablePointer<Float>, into: UnsafeMutablePointer<Float>) {
    let keys = binding.random.keys
    precondition(keys.count == binding.input.batch, "\(keys.count) keys for \(binding.input.batch) samples")
    let count = binding.input.shape.count
    let kept = Float(1 / (1 - layer.probability))
    Parallel.ranges(keys.count) { samples in
      for sample in samples {
        for i in 0..<count {
          let index = sample * count + i
          into[index] =
            SplitMix64.mixed((keys[sample] &+ UInt64(i)) &* SplitMix64.golden) < threshold ? 0 : from[index] * kept
        }
      }
    }
  }
}
