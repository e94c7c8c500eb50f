import VectorKernels

/// The weight gradient of a depthwise convolution whose kernel covers the whole image (MobileFaceNet's last one), for
/// which oneDNN 2.6 has reference code only, 100 times slower.
///
/// M = batch, P = positions of image and kernel.   dW (C, P) += sum over m of dy (m, C) x (m, C, P)
final class WholeImageDepthwise: ConvolutionGradient {
  let implementation = "whole-image depthwise"

  private let weight: Parameter
  private let scratch: Scratch
  private let source: ChannelView
  private let target: ChannelView
  private let x: UnsafeMutablePointer<Float>
  private let dy: UnsafeMutablePointer<Float>

  static func suits(_ layer: ConvolutionGeometry, _ input: Shape) -> Bool {
    layer.groups == layer.inputs && layer.outputs == layer.inputs && layer.padding == 0
      && layer.kernel == input.height && layer.kernel == input.width && layer.bias == nil
  }

  /// Nil where the convolution is another one.
  init?(_ layer: ConvolutionGeometry, input: Tensor, outputGradient: Tensor, scratch: Scratch) {
    guard Self.suits(layer, input.shape) else { return nil }
    weight = layer.weight
    self.scratch = scratch
    scratch.reserve(.plainWeight, bytes: layer.weight.count * MemoryLayout<Float>.size)
    source = ChannelView(input)
    target = ChannelView(outputGradient)
    x = input.elements
    dy = outputGradient.elements
  }

  /// One read of x, from which each sum is made in a register.
  func compute() {
    let gradient = scratch[.plainWeight]
    let positions = source.positions
    let lanes = SIMD8<Float>.lanes
    Parallel.ranges(source.channels / lanes) { parts in
      for part in parts {
        let channel = part * lanes
        let (x, dy) = (x + source.start(ofChannel: channel), dy + target.start(ofChannel: channel))
        let rows = gradient + channel * positions
        for position in 0..<positions {
          var sum = SIMD8<Float>.zero
          for image in 0..<source.images {
            let value = x + (image &* source.imageStride &+ position &* source.positionStride)
            sum.addProduct(SIMD8(from: value), SIMD8(from: dy + image &* target.imageStride))
          }
          for lane in 0..<lanes { rows[lane * positions + position] = sum[lane] }
        }
      }
    }
  }

  func accumulate() {
    Elementwise.add(.init(start: scratch[.plainWeight], count: weight.count), into: weight.gradient)
  }
}
