/// Eight channels of one position: what the channel kernels compute with.
typealias ChannelVector = SIMD8<Float>

/// How a kernel that works channel by channel walks over a tensor: groups of eight channels, a SIMD vector each.
///
/// Strides count vectors. Images in the blocked layout: a group's positions lie one after the other, or, where a block
/// holds two groups (AVX-512), every other vector. Feature vectors (M, K): one "image" whose positions are the rows.
struct ChannelView {
  static let lanes = ChannelVector.scalarCount

  let groups: Int
  let images: Int
  let positions: Int
  let positionStride: Int
  private let imageStride: Int
  private let blockStride: Int
  /// Groups of a block less one: 0 or 1.
  private let blockMask: Int

  init(_ tensor: Tensor) {
    let shape = tensor.shape
    precondition(shape.channels % Self.lanes == 0, "\(shape.channels) channels do not fill vectors of \(Self.lanes)")
    groups = shape.channels / Self.lanes
    switch shape.layout {
    case .blocked:
      let groupsPerBlock = DNN.channelBlock / Self.lanes
      images = tensor.batch
      positions = shape.positions
      positionStride = groupsPerBlock
      imageStride = groups * positions
      blockStride = positions * groupsPerBlock
      blockMask = groupsPerBlock - 1
    case .plain:
      precondition(shape.positions == 1, "Channels of a plain image lie apart")
      images = 1
      positions = tensor.batch
      positionStride = groups
      imageStride = 0
      blockStride = 1
      blockMask = 0
    }
  }

  /// Values per channel.
  var count: Int { images * positions }

  /// The images of this view that a range of the batch stands for: all of it where the rows of features are positions.
  func images(_ range: Range<Int>) -> Range<Int> {
    if imageStride > 0 { return range }
    precondition(range == 0..<positions, "Rows \(range) of \(positions) feature vectors")
    return 0..<1
  }

  @inline(__always)
  func start(image: Int, group: Int) -> Int {
    image &* imageStride &+ (group >> blockMask) &* blockStride &+ (group & blockMask)
  }
}

extension Tensor {
  /// The whole batch.
  var vectors: UnsafeMutablePointer<ChannelVector> { vectors(0..<batch) }

  /// Where the batch would begin if it lay as a whole where the calling thread's piece does: see `base`.
  func vectors(_ images: Range<Int>) -> UnsafeMutablePointer<ChannelVector> {
    UnsafeMutableRawPointer(base(images)).assumingMemoryBound(to: ChannelVector.self)
  }
}

extension UnsafeMutablePointer<Float> {
  /// Element `group` of a row of channels, eight at a time.
  @inline(__always)
  func vector(_ group: Int) -> ChannelVector {
    UnsafeRawPointer(self).loadUnaligned(
      fromByteOffset: group &* MemoryLayout<ChannelVector>.stride, as: ChannelVector.self)
  }
}
