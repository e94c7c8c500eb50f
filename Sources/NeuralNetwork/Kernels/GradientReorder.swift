import COneDNN
import VectorKernels

/// Brings a weight's gradient from the layout that a primitive chose back to the plain one and adds it to the sum.
final class GradientReorder {
  /// What the primitive writes.
  let source: DNNMemory
  let biasMemory: DNNMemory?

  private let weight: ConvolutionWeight
  private let bias: Parameter?
  private let biasGradient: AlignedMemory?
  private let plain: DNNMemory
  private let reorder: DNNReorder
  private let scratch: Scratch

  init(_ weight: ConvolutionWeight, from layout: dnnl_memory_desc_t, bias: Parameter?, scratch: Scratch) {
    self.weight = weight
    self.bias = bias
    self.scratch = scratch
    source = DNNMemory(layout)
    plain = DNNMemory(weight.plainDescription)
    reorder = DNNReorder(from: source, to: plain, scratch: scratch)
    scratch.reserve(.blockedWeight, bytes: source.bytes)
    scratch.reserve(.plainWeight, bytes: plain.bytes)
    biasGradient = bias.map { AlignedMemory(count: $0.count) }
    biasMemory = biasGradient.map {
      DNNMemory(DNNMemory.describe([$0.elements.count], dnnl_a), $0.elements.baseAddress)
    }
  }

  func prepare() { source.point(to: scratch[.blockedWeight]) }

  func accumulate() {
    plain.point(to: scratch[.plainWeight])
    reorder.execute()
    weight.accumulate(scratch[.plainWeight])
    if let bias, let biasGradient { Elementwise.add(biasGradient.elements, into: bias.gradient) }
  }
}
