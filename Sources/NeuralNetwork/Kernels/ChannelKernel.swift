import VectorKernels
import WideKernels

/// `ChannelPasses` over a tensor's groups, in the widest registers that this processor has and the channels fill.
///
/// Pointers are to where the batch begins (`Tensor.base`), to rows of a Float per channel, or to a `ChannelSumsTable`'s
/// sums.
struct ChannelKernel {
  let view: ChannelView

  private typealias Narrow = ChannelPasses<SIMD8<Float>>

  /// All groups of the images, divided among the threads.
  func forEach(_ images: Range<Int>, _ body: (ChannelGroup) -> Void) {
    let images = view.images(images)
    Parallel.ranges(view.groups) { groups in
      for image in images { for group in groups { body(view.group(image, group)) } }
    }
  }

  func addMoments(
    _ group: ChannelGroup, _ x: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Double>
  ) {
    if view.isWide {
      WideChannels.addMoments(group, x, shift: shift, to: sums, plane: view.channels)
    } else {
      Narrow.addMoments(group, x, shift: shift, to: sums, plane: view.channels)
    }
  }

  func apply(
    _ map: ChannelMap, _ group: ChannelGroup, _ x: UnsafePointer<Float>, adding residual: UnsafePointer<Float>?,
    to y: UnsafeMutablePointer<Float>
  ) {
    if view.isWide {
      WideChannels.apply(map, group, x, adding: residual, to: y)
    } else {
      Narrow.apply(map, group, x, adding: residual, to: y)
    }
  }

  func addGradients(
    _ map: ChannelMap, _ group: ChannelGroup, _ dy: UnsafeMutablePointer<Float>, adding other: UnsafePointer<Float>?,
    _ x: UnsafePointer<Float>, mean: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Double>
  ) {
    if view.isWide {
      WideChannels.addGradients(map, group, dy, adding: other, x, mean: mean, to: sums, plane: view.channels)
    } else {
      Narrow.addGradients(map, group, dy, adding: other, x, mean: mean, to: sums, plane: view.channels)
    }
  }

  func applyGradient(
    _ map: ChannelMap, _ group: ChannelGroup, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
    c: UnsafePointer<Float>, d: UnsafePointer<Float>, to dx: UnsafeMutablePointer<Float>
  ) {
    if view.isWide {
      WideChannels.applyGradient(map, group, dy, x, c: c, d: d, to: dx)
    } else {
      Narrow.applyGradient(map, group, dy, x, c: c, d: d, to: dx)
    }
  }
}
