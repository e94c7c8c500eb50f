import VectorKernels

/// A folded convolution bound to one batch size: its weight is prepared once for all passes until weights change.
///
/// One read of x, one write of y. A residual without PReLU is what the primitive finds at y and adds to. PReLU goes over
/// y again while it is in the cache: oneDNN 2.6 takes it as a post-operation for AVX2 in its reference code only.
final class FoldedConvolutionOperation: Operation {
  private let layer: FoldedConvolution
  private let binding: Binding
  private let weight: ConvolutionWeight
  private let convolution: PiecewiseConvolution
  private let addsToOutput: Bool
  private let view: ChannelView
  private let prelu: PReLUMap?
  private let blocked: AlignedMemory
  private let plain: DNNMemory
  private let reorder: DNNCall
  /// a and b'
  private let factors: AlignedMemory
  private let bias: AlignedMemory
  /// The state of the weights that `blocked` was made from; none at first.
  private var preparedVersion = -1

  var implementation: String { convolution.implementation }

  init(_ layer: FoldedConvolution, _ binding: Binding) {
    precondition(binding.mode == .evaluation, "\(layer.name) is folded for evaluation")
    self.layer = layer
    self.binding = binding
    let inner = layer.convolution
    let scratch = binding.scratch
    weight = ConvolutionWeight(inner, scratch: scratch)
    factors = AlignedMemory(count: inner.outputs)
    bias = AlignedMemory(count: inner.outputs)
    addsToOutput = binding.inputs.count > 1 && layer.slope == nil
    view = ChannelView(binding.output)
    prelu = layer.slope.map(PReLUMap.init)
    let primitives = DNNConvolution(inner, weight, input: binding.input.shape, hasBias: true).primitives(
      .forward(.evaluation, addsToOutput: addsToOutput), sizes: binding.forwardPieces.sizes)
    blocked = AlignedMemory(bytes: primitives.weight.bytes)
    let target = DNNMemory(primitives.weight, blocked.elements.baseAddress)
    convolution = PiecewiseConvolution(
      primitives, from: binding.input, to: binding.output, pieces: binding.forwardPieces,
      reading: [
        (.weight, target), (.bias, DNNMemory(DNNLayout(plain: [inner.outputs]), bias.elements.baseAddress)),
      ], scratch: scratch)
    plain = DNNMemory(weight.layout)
    reorder = DNNCall(copying: plain, to: target, scratch: scratch)
    scratch.reserve(.plainWeight, bytes: weight.layout.bytes)
  }

  func beginForward() {
    guard preparedVersion != binding.weights.number else { return }
    preparedVersion = binding.weights.number
    let a = factors.elements.baseAddress!
    layer.fold(into: a, bias.elements.baseAddress!)
    let (from, to) = (weight.expanded(), binding.scratch[.plainWeight])
    let row = weight.count / layer.convolution.outputs
    for output in 0..<layer.convolution.outputs {
      for i in (output * row)..<((output + 1) * row) { to[i] = a[output] * from[i] }
    }
    plain.point(to: to)
    reorder.execute()
  }

  func forward(_ images: Range<Int>) {
    let residual = binding.inputs.count > 1 ? binding.inputs[1] : nil
    if addsToOutput, let residual, residual.elements != binding.output.elements {
      _ = binding.output.images(images).update(fromContentsOf: residual.images(images))
    }
    convolution.execute(images)
    guard let prelu else { return }
    let y = binding.output.base(images)
    let added = residual?.base(images)
    view.forEach(images) { view.kernels.apply(prelu.map, $0, y, adding: added, to: y) }
  }

  func backward(_ images: Range<Int>) { preconditionFailure("Backward of \(layer.name) in evaluation") }
}
