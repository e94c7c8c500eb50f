import COneDNN

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

  /// - Parameter problem: the convolution of a number of images; the weight's layout is given from the second on.
  init(
    _ weight: ConvolutionWeight, input: Tensor, outputGradient: Tensor, pieces: Pieces, scratch: Scratch,
    problem: (_ images: Int, _ layout: dnnl_memory_desc_t?) -> ConvolutionProblem
  ) {
    self.input = input
    self.outputGradient = outputGradient
    self.pieces = pieces
    self.scratch = scratch
    let sizes = pieces.sizes.sorted(by: >)
    var layout: dnnl_memory_desc_t?
    var name = ""
    // A primitive made for several threads would leave out the parts of those that are not there.
    let primitives = Parallel.onOneThread {
      sizes.map { size in
        let hint = problem(size, nil).forward(.training)
        defer { dnnl_primitive_desc_destroy(hint) }
        let description = problem(size, layout).backwardWeights(hint)
        if layout == nil {
          layout = DNNPrimitive.layout(of: description, dnnl_query_diff_weights_md)
          name = DNNPrimitive.implementation(of: description)
        }
        return DNNPrimitive(description)
      }
    }
    implementation = name
    calls = PieceTable(threads: pieces.ofThread.count, sizes: sizes, primitives) { primitive, images, thread in
      let source = DNNMemory(DNNMemory.describe(input.shape, images: images), input.elements)
      let target = DNNMemory(DNNMemory.describe(outputGradient.shape, images: images), outputGradient.elements)
      let gradient = DNNMemory(layout!)
      let call = DNNCall(
        primitive, [(DNNL_ARG_SRC, source), (DNNL_ARG_DIFF_DST, target), (DNNL_ARG_DIFF_WEIGHTS, gradient)],
        scratch: scratch, slot: .gradientPrimitive, thread: thread)
      return Call(call: call, input: source, outputGradient: target, gradient: gradient)
    }
    reorder = GradientReorder(weight, from: layout!, bias: nil, scratch: scratch)
    let line = 16
    stride = (DNNMemory.bytes(layout!) / MemoryLayout<Float>.size + line - 1) / line * line
    scratch.reserve(.gradientSums, bytes: 2 * pieces.ofThread.count * stride * MemoryLayout<Float>.size)
  }

  /// A piece of the calling thread; its first of a pass begins the sum.
  func add(_ images: Range<Int>) {
    let thread = Parallel.part
    let call = calls[images.count]
    let sum = self.sum(thread)
    let isFirst = images.lowerBound == pieces.ofThread[thread][0].lowerBound
    let target = isFirst ? sum : sum + stride
    call.input.point(to: input.start(images))
    call.outputGradient.point(to: outputGradient.start(images))
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
