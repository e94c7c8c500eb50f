import COneDNN
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
  private let addsToTarget: Bool
  private let kernel: ChannelKernel
  private let prelu: PReLUMap?
  private let blocked: AlignedMemory
  private let plain: DNNMemory
  private let reorder: DNNReorder
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
    let weight = ConvolutionWeight(inner, scratch: scratch)
    let bias = AlignedMemory(count: inner.outputs)
    let addsToTarget = binding.inputs.count > 1 && layer.slope == nil
    self.addsToTarget = addsToTarget
    kernel = ChannelKernel(view: ChannelView(binding.output))
    prelu = layer.slope.map(PReLUMap.init)
    var target: DNNMemory?
    convolution = PiecewiseConvolution(
      from: binding.input, to: binding.output, pieces: binding.forwardPieces, scratch: scratch,
      roles: (DNNL_ARG_SRC, DNNL_ARG_DST)
    ) { layout in
      let memory = DNNMemory(layout)
      target = memory
      let biasMemory = DNNMemory(DNNMemory.describe([inner.outputs], dnnl_a), bias.elements.baseAddress)
      // `beginForward` prepares the weight, once for all passes until it changes.
      return ([(DNNL_ARG_WEIGHTS, memory), (DNNL_ARG_BIAS, biasMemory)], {})
    } describe: { images, layout in
      ConvolutionProblem(
        inner, weight, input: binding.input.shape, output: binding.output.shape, images: images, layout: layout,
        hasBias: true
      ).forward(.evaluation, addsToTarget: addsToTarget)
    }
    self.weight = weight
    self.bias = bias
    factors = AlignedMemory(count: inner.outputs)
    blocked = AlignedMemory(count: (target!.bytes + 3) / 4)
    target!.point(to: blocked.elements.baseAddress!)
    plain = DNNMemory(weight.plainDescription)
    reorder = DNNReorder(from: plain, to: target!, scratch: scratch)
    scratch.reserve(.plainWeight, bytes: plain.bytes)
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
    if addsToTarget, let residual, residual.elements != binding.output.elements {
      _ = binding.output.images(images).update(fromContentsOf: residual.images(images))
    }
    convolution.execute(images)
    guard let prelu else { return }
    let y = binding.output.base(images)
    let added = residual?.base(images)
    kernel.forEach(images) { kernel.apply(prelu.map, $0, y, adding: added, to: y) }
  }

  func backward(_ images: Range<Int>) { preconditionFailure("Backward of \(layer.name) in evaluation") }
}
