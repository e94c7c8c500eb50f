import VectorKernels

/// The parameters' gradient of a convolution by oneDNN's primitive for it, from the whole batch.
final class DirectGradient: ConvolutionGradient {
  let implementation: String

  private let call: DNNCall
  private let reorder: GradientReorder
  private let scratch: Scratch
  private let bias: (parameter: Parameter, gradient: AlignedMemory)?

  init(
    _ convolution: DNNConvolution, _ weight: ConvolutionWeight, bias: Parameter?, input: Tensor,
    outputGradient: Tensor, scratch: Scratch
  ) {
    let primitives = convolution.primitives(.backwardWeights, sizes: [input.batch])
    implementation = primitives.implementation
    reorder = GradientReorder(weight, from: primitives.weight, scratch: scratch)
    scratch.reserve(.blockedWeight, bytes: primitives.weight.bytes)
    self.bias = bias.map { ($0, AlignedMemory(count: $0.count)) }
    func view(_ tensor: Tensor) -> DNNMemory {
      DNNMemory(DNNLayout(tensor.shape, images: tensor.batch), tensor.memory)
    }
    var arguments: [(DNNArgument, DNNMemory)] = [
      (.source, view(input)), (.targetGradient, view(outputGradient)), (.weightGradient, reorder.source),
    ]
    if let (parameter, gradient) = self.bias {
      arguments.append((.biasGradient, DNNMemory(DNNLayout(plain: parameter.shape), gradient.elements.baseAddress)))
    }
    call = DNNCall(primitives.primitives[0], arguments, scratch: scratch)
    self.scratch = scratch
  }

  func compute() {
    reorder.source.point(to: scratch[.blockedWeight])
    call.execute()
  }

  func accumulate() {
    reorder.accumulate()
    if let (parameter, gradient) = bias, parameter.isTrained {
      Elementwise.add(gradient.elements, into: parameter.gradient)
    }
  }
}

/// The weight's gradient of a convolution from pieces of a batch, by oneDNN's primitive for it: each thread adds what its
/// pieces give to a sum of its own, while they are in the cache.
///
/// Spares the reads of the input and of the output's gradient from memory, and costs three passes per piece over a
/// weight, which is small (see `Convolution.sumsGradientInPieces`) and in the cache too. The sums are joined in the
/// threads' order: the same bits in every run with the same number of threads.
final class PieceGradient: ConvolutionGradient {
  let implementation: String

  private let input: Tensor
  private let outputGradient: Tensor
  private let pieces: Pieces
  private let calls: PieceTable<Call>
  private let reorder: GradientReorder
  private let scratch: Scratch
  /// Floats between the parts of scratch: for each thread its sum, and a piece's own gradient.
  private let stride: Int

  private struct Call {
    let call: DNNCall
    let input: DNNMemory
    let outputGradient: DNNMemory
    let gradient: DNNMemory
  }

  init(
    _ convolution: DNNConvolution, _ weight: ConvolutionWeight, input: Tensor, outputGradient: Tensor, pieces: Pieces,
    scratch: Scratch
  ) {
    self.input = input
    self.outputGradient = outputGradient
    self.pieces = pieces
    self.scratch = scratch
    // A primitive made for several threads would leave out the parts of those that are not there.
    let primitives = Parallel.onOneThread { convolution.primitives(.backwardWeights, sizes: pieces.sizes) }
    implementation = primitives.implementation
    calls = PieceTable(threads: pieces.ofThread.count, primitives) { primitive, images, thread in
      let source = DNNMemory(DNNLayout(input.shape, images: images), input.memory)
      let target = DNNMemory(DNNLayout(outputGradient.shape, images: images), outputGradient.memory)
      let gradient = DNNMemory(primitives.weight)
      let call = DNNCall(
        primitive, [(.source, source), (.targetGradient, target), (.weightGradient, gradient)], scratch: scratch,
        slot: .gradientPrimitive, thread: thread)
      return Call(call: call, input: source, outputGradient: target, gradient: gradient)
    }
    reorder = GradientReorder(weight, from: primitives.weight, scratch: scratch)
    let line = 16
    stride = (primitives.weight.bytes / MemoryLayout<Float>.size + line - 1) / line * line
    scratch.reserve(.gradientSums, bytes: 2 * pieces.ofThread.count * stride * MemoryLayout<Float>.size)
  }

  /// A piece of the calling thread; its first of a pass begins the sum.
  func add(_ images: Range<Int>) {
    let thread = Parallel.part
    let call = calls[images.count]
    let sum = self.sum(thread)
    let isFirst = images.lowerBound == pieces.ofThread[thread][0].lowerBound
    let target = isFirst ? sum : sum + stride
    call.input.point(to: input.address(images))
    call.outputGradient.point(to: outputGradient.address(images))
    call.gradient.point(to: target)
    call.call.execute()
    if !isFirst { Elementwise.add(.init(start: target, count: stride), into: .init(start: sum, count: stride)) }
  }

  /// Adds the sums of all threads to the parameter's gradient.
  func accumulate() {
    for thread in pieces.ofThread.indices.dropFirst() where !pieces.ofThread[thread].isEmpty {
      Elementwise.add(.init(start: sum(thread), count: stride), into: .init(start: sum(0), count: stride))
    }
    reorder.source.point(to: sum(0))
    reorder.accumulate()
  }

  private func sum(_ thread: Int) -> UnsafeMutablePointer<Float> { scratch[.gradientSums] + 2 * thread * stride }
}

/// Brings a weight's gradient from the layout that a primitive chose back to the plain one and adds it to the sum.
private final class GradientReorder {
  /// What the primitive writes; the caller says where it lies.
  let source: DNNMemory

  private let weight: ConvolutionWeight
  private let plain: DNNMemory
  private let copy: DNNCall
  private let scratch: Scratch

  init(_ weight: ConvolutionWeight, from layout: DNNLayout, scratch: Scratch) {
    self.weight = weight
    self.scratch = scratch
    source = DNNMemory(layout)
    plain = DNNMemory(weight.layout)
    copy = DNNCall(copying: source, to: plain, scratch: scratch)
    scratch.reserve(.plainWeight, bytes: weight.layout.bytes)
  }

  func accumulate() {
    plain.point(to: scratch[.plainWeight])
    copy.execute()
    weight.accumulate(scratch[.plainWeight])
  }
}
