/// A convolution from images to images (forward, or backward to the input's gradient) by oneDNN over pieces of a batch: a
/// primitive for each size of piece, and for each thread its own views of memory.
final class PiecewiseConvolution: ImageConvolution {
  let implementation: String

  private let reorder: WeightReorder?
  private let from: Tensor
  private let to: Tensor
  private let calls: PieceTable<Call>

  private struct Call {
    let call: DNNCall
    let from: DNNMemory
    let to: DNNMemory
  }

  /// - Parameters:
  ///   - reading: the weight, and a bias where there is one.
  ///   - reorder: brings the weight there before each batch; nil where that is the caller's.
  init(
    _ primitives: DNNConvolution.Primitives, from: Tensor, to: Tensor, pieces: Pieces,
    reading shared: [(DNNArgument, DNNMemory)], reorder: WeightReorder? = nil, scratch: Scratch
  ) {
    self.from = from
    self.to = to
    self.reorder = reorder
    implementation = primitives.implementation
    let roles: (from: DNNArgument, to: DNNArgument) =
      if case .forward = primitives.stage { (.source, .target) } else { (.targetGradient, .sourceGradient) }
    calls = PieceTable(threads: pieces.ofThread.count, primitives) { primitive, images, thread in
      let source = DNNMemory(DNNLayout(from.shape, images: images), from.memory)
      let target = DNNMemory(DNNLayout(to.shape, images: images), to.memory)
      let call = DNNCall(
        primitive, [(roles.from, source), (roles.to, target)] + shared, scratch: scratch, thread: thread)
      return Call(call: call, from: source, to: target)
    }
  }

  /// With a weight that may change from batch to batch.
  convenience init(
    _ primitives: DNNConvolution.Primitives, from: Tensor, to: Tensor, pieces: Pieces, weight: ConvolutionWeight,
    bias: Parameter? = nil, scratch: Scratch
  ) {
    let reorder = WeightReorder(weight, to: primitives.weight, scratch: scratch)
    let bias = bias.map { [(DNNArgument.bias, DNNMemory(DNNLayout(plain: $0.shape), $0.value.baseAddress))] } ?? []
    self.init(
      primitives, from: from, to: to, pieces: pieces, reading: [(.weight, reorder.target)] + bias, reorder: reorder,
      scratch: scratch)
  }

  func prepareWeight() { reorder?.execute() }

  func execute(_ images: Range<Int>) {
    let call = calls[images.count]
    call.from.point(to: from.address(images))
    call.to.point(to: to.address(images))
    call.call.execute()
  }
}

/// What the threads call for pieces of a batch: one entry for each thread and each size of piece, since every thread has
/// its own views of memory and every size its own primitive.
struct PieceTable<Entry> {
  private let sizes: [Int]
  /// (threads, sizes)
  private let entries: [Entry]

  /// - Parameter make: the entry of a thread.
  init(
    threads: Int, _ primitives: DNNConvolution.Primitives,
    _ make: (_ primitive: DNNPrimitive, _ images: Int, _ thread: Int) -> Entry
  ) {
    sizes = primitives.sizes
    entries = (0..<max(threads, 1)).flatMap { thread in
      zip(primitives.primitives, primitives.sizes).map { make($0, $1, thread) }
    }
  }

  /// The calling thread's for a piece of so many images.
  subscript(images: Int) -> Entry {
    guard let size = sizes.firstIndex(of: images) else {
      preconditionFailure("A piece of \(images) images among \(sizes)")
    }
    return entries[(Parallel.isInside ? Parallel.part : 0) * sizes.count + size]
  }
}
