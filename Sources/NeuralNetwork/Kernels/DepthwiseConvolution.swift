import VectorKernels

/// A depthwise 3 x 3 convolution of stride 1 or 2 and padding 1 over pieces of a batch, forward or backward to the
/// input's gradient: see `DepthwiseImage`.
///
/// One read of what it reads (rows again from the first-level cache) and one write. oneDNN 2.6 calls its kernel anew for
/// each row, and takes three times as long for the gradient at stride 2.
final class DepthwiseConvolution: ImageConvolution {
  let implementation = "depthwise 3x3"

  private let weight: Parameter
  private let from: Tensor
  private let to: Tensor
  private let image: DepthwiseImage
  /// Backward at stride 1: a convolution with the kernel turned by half a circle.
  private let isTurned: Bool
  /// Backward at stride 2.
  private let spreads: Bool
  /// (groups, 3, 3, lanes)
  private let prepared: AlignedMemory

  private static let taps = 9
  /// Channels of a block.
  private static var lanes: Int { DNN.channelBlock }
  private var groups: Int { from.shape.channels / Self.lanes }

  static func suits(_ layer: ConvolutionGeometry, _ input: Shape) -> Bool {
    layer.groups == layer.inputs && layer.outputs == layer.inputs && layer.kernel == 3 && layer.padding == 1
      && layer.stride <= 2 && layer.bias == nil && input.layout == .blocked
  }

  /// - Parameters:
  ///   - from: x, or dy.
  ///   - to: y, or dx.
  init(_ layer: ConvolutionGeometry, _ direction: ConvolutionDirection, from: Tensor, to: Tensor) {
    let input = direction == .forward ? from.shape : to.shape
    precondition(Self.suits(layer, input), "\(layer.name) of \(input) by kernels for other layers")
    weight = layer.weight
    self.from = from
    self.to = to
    image = DepthwiseImage(height: input.height, width: input.width, stride: layer.stride)
    isTurned = direction == .backward && layer.stride == 1
    spreads = direction == .backward && layer.stride == 2
    prepared = AlignedMemory(count: layer.weight.count)
  }

  func prepareWeight() {
    let (source, target) = (weight.value.baseAddress!, prepared.elements.baseAddress!)
    let (taps, lanes) = (Self.taps, Self.lanes)
    for channel in 0..<from.shape.channels {
      let row = target + (channel / lanes * taps * lanes + channel % lanes)
      for tap in 0..<taps {
        row[tap &* lanes] = source[channel &* taps &+ (isTurned ? taps &- 1 &- tap : tap)]
      }
    }
  }

  func execute(_ images: Range<Int>) {
    let (source, target) = (from.start(images), to.start(images))
    let (read, written) = (from.shape.positions * Self.lanes, to.shape.positions * Self.lanes)
    let (groups, kernels) = (groups, Kernels.chosen)
    Parallel.ranges(images.count * groups) { range in
      for index in range {
        // One group of one image.
        let w = prepared.elements.baseAddress! + index % groups * Self.taps * Self.lanes
        let (x, y) = (source + index * read, target + index * written)
        if spreads { kernels.spreadGradient(image, x, w, into: y) } else { kernels.convolve(image, x, w, into: y) }
      }
    }
  }
}
