/// What the elements of a value are.
package enum ElementType: Sendable {
  case float32

  /// Bytes of an element.
  package var size: Int {
    switch self {
    case .float32: MemoryLayout<Float>.size
    }
  }
}

/// The shape of one sample's value: C channels of H x W, or D features (C = D, H = W = 1), and what they are.
package struct Shape: Hashable, Sendable, CustomStringConvertible {
  package enum Layout: Sendable {
    /// Row-major: the network's input (C, H, W) and feature vectors (D).
    case plain
    /// oneDNN's nChw8c or nChw16c, by the processor's vector width: what convolutions run on.
    case blocked
  }

  package let channels: Int
  package let height: Int
  package let width: Int
  package let layout: Layout
  package let type: ElementType

  package static func image(
    _ channels: Int, _ height: Int, _ width: Int, _ layout: Layout = .blocked, type: ElementType = .float32
  ) -> Shape {
    precondition(channels > 0 && height > 0 && width > 0, "Image of \(channels) x \(height) x \(width)")
    precondition(
      layout == .plain || channels % DNN.channelBlock == 0,
      "\(channels) channels do not fill blocks of \(DNN.channelBlock)")
    return Shape(channels: channels, height: height, width: width, layout: layout, type: type)
  }

  package static func features(_ count: Int, type: ElementType = .float32) -> Shape {
    precondition(count > 0, "\(count) features")
    return Shape(channels: count, height: 1, width: 1, layout: .plain, type: type)
  }

  /// Channels of a block of the blocked layout on this processor: 8, or 16 with AVX-512.
  package static var channelBlock: Int { DNN.channelBlock }

  package var positions: Int { height * width }
  package var count: Int { channels * positions }
  package var bytes: Int { count * type.size }
  package var description: String { "\(channels) x \(height) x \(width)" }
}
