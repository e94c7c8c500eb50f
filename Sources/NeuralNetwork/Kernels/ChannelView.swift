import VectorKernels

/// How a kernel that works channel by channel walks over a tensor: groups of channels that fill a vector.
///
/// Strides count Floats. Images in the blocked layout: a group is a block, and its positions lie one after the other.
/// Feature vectors (M, K): one "image" whose positions are the rows.
struct ChannelView {
  let channels: Int
  /// Channels of a group: 16 where the processor has AVX-512 and they fill such vectors, else 8.
  let lanes: Int
  /// Those of such vectors. Their pointers are to where the batch begins (`Tensor.base`), to rows of a Float per channel,
  /// or to a `ChannelSumsTable`'s sums.
  let kernels: any KernelSet.Type
  let images: Int
  let positions: Int
  let positionStride: Int
  private let groupStride: Int
  let imageStride: Int

  init(_ tensor: Tensor) {
    let shape = tensor.shape
    channels = shape.channels
    lanes = channels % DNN.channelBlock == 0 ? DNN.channelBlock : SIMD8<Float>.lanes
    precondition(channels % lanes == 0, "\(channels) channels do not fill vectors of \(lanes)")
    kernels = lanes == DNN.channelBlock ? Kernels.chosen : AVX2Kernels.self
    switch shape.layout {
    case .blocked:
      images = tensor.batch
      positions = shape.positions
      positionStride = lanes
      groupStride = lanes * positions
      imageStride = shape.count
    case .plain:
      precondition(shape.positions == 1, "Channels of a plain image lie apart")
      images = 1
      positions = tensor.batch
      positionStride = channels
      groupStride = lanes
      imageStride = 0
    }
  }

  var groups: Int { channels / lanes }

  /// Values per channel.
  var count: Int { images * positions }

  /// The images of this view that a range of the batch stands for: all of it where the rows of features are positions.
  func images(_ range: Range<Int>) -> Range<Int> {
    if imageStride > 0 { return range }
    precondition(range == 0..<positions, "Rows \(range) of \(positions) feature vectors")
    return 0..<1
  }

  /// Floats from the beginning of an image to a channel's first value; the group's next channels lie beside it.
  func start(ofChannel channel: Int) -> Int { channel / lanes * groupStride + channel % lanes }

  @inline(__always)
  func group(_ image: Int, _ group: Int) -> ChannelGroup {
    ChannelGroup(
      channel: group &* lanes, start: image &* imageStride &+ group &* groupStride, stride: positionStride,
      positions: positions, channels: channels)
  }

  /// All groups of the images, divided among the threads.
  func forEach(_ images: Range<Int>, _ body: (ChannelGroup) -> Void) {
    let images = self.images(images)
    Parallel.ranges(groups) { groups in
      for image in images { for group in groups { body(self.group(image, group)) } }
    }
  }
}

/// PReLU alone as the channels' kernels take it: a = 1 and b = 0.
struct PReLUMap {
  let map: ChannelMap
  /// Rows of channels: zeros and ones.
  private let constants: AlignedMemory

  init(_ slope: Parameter) {
    constants = AlignedMemory(count: 2 * slope.count)
    constants.elements[slope.count...].update(repeating: 1)
    let rows = constants.elements.baseAddress!
    map = ChannelMap(a: rows + slope.count, b: rows, slope: slope.value.baseAddress)
  }

  /// A row of zeros.
  var zero: UnsafePointer<Float> { map.b }
}
