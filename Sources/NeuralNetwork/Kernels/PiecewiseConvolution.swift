import COneDNN

/// A convolution from images to images (forward, or backward to the input's gradient) over pieces of a batch: a
/// primitive for each size of piece, and for each thread its own views of memory.
final class PiecewiseConvolution: ImageConvolution {
  let implementation: String

  private let prepare: () -> Void

  private let from: Tensor
  private let to: Tensor
  private let calls: PieceTable<Call>

  private struct Call {
    let call: DNNCall
    let from: DNNMemory
    let to: DNNMemory
  }

  /// - Parameters:
  ///   - roles: what the primitive calls `from`, the weight, and `to`.
  ///   - others: what else the primitive reads, the weight among it, once the weight's layout is known; and what brings
  ///     the weight there.
  ///   - describe: the primitive for a number of images; the weight's layout is given from the second on.
  init(
    from: Tensor, to: Tensor, pieces: Pieces, scratch: Scratch, roles: (from: Int32, to: Int32),
    others: (_ weightLayout: dnnl_memory_desc_t) -> (memories: [(Int32, DNNMemory)], prepare: () -> Void),
    describe: (_ images: Int, _ layout: dnnl_memory_desc_t?) -> dnnl_primitive_desc_t
  ) {
    self.from = from
    self.to = to
    let sizes = pieces.sizes.sorted(by: >)
    var layout: dnnl_memory_desc_t?
    var name = ""
    let primitives = sizes.map { size in
      let description = describe(size, layout)
      if layout == nil {
        layout = DNNPrimitive.layout(of: description, dnnl_query_weights_md)
        name = DNNPrimitive.implementation(of: description)
      }
      return DNNPrimitive(description)
    }
    implementation = name
    let shared: [(Int32, DNNMemory)]
    (shared, prepare) = others(layout!)
    calls = PieceTable(threads: pieces.ofThread.count, sizes: sizes, primitives) { primitive, images, thread in
      let source = DNNMemory(DNNMemory.describe(from.shape, images: images), from.elements)
      let target = DNNMemory(DNNMemory.describe(to.shape, images: images), to.elements)
      let call = DNNCall(
        primitive, [(roles.from, source), (roles.to, target)] + shared, scratch: scratch, thread: thread)
      return Call(call: call, from: source, to: target)
    }
  }

  func prepareWeight() { prepare() }

  func execute(_ images: Range<Int>) {
    let call = calls[images.count]
    call.from.point(to: from.start(images))
    call.to.point(to: to.start(images))
    call.call.execute()
  }
}
