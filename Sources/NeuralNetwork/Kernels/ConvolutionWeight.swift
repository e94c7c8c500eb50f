/// A convolution's weight as oneDNN shall see it: plain order, and groups joined until they fill a block.
///
/// oneDNN's fast kernels want groups of one channel (depthwise) or of whole blocks of channels; a convolution of 64
/// groups of 2 (arcface_torch's MobileFaceNet of width 2) would fall to its reference code. So J neighbouring groups
/// become one group whose weight is block-diagonal, zeros elsewhere: J times the arithmetic, at 50 times the speed.
final class ConvolutionWeight {
  let parameter: Parameter
  /// (O, C, k, k), or (G, O / G, C / G, k, k) with the joined groups.
  let dimensions: [Int]
  let count: Int

  /// J: 1 where nothing is joined.
  private let joined: Int
  private let groups: Int
  /// Channels of a group of the parameter: outputs O / G, inputs C / G, and k * k.
  private let o: Int
  private let c: Int
  private let taps: Int
  private let scratch: Scratch

  init(_ layer: ConvolutionGeometry, scratch: Scratch) {
    parameter = layer.weight
    groups = layer.groups
    o = layer.outputs / layer.groups
    c = layer.inputs / layer.groups
    taps = layer.kernel * layer.kernel
    self.scratch = scratch
    let block = DNN.channelBlock
    let needsJoining = groups > 1 && !(o == 1 && c == 1) && (o % block != 0 || c % block != 0)
    if needsJoining {
      precondition(
        o == c && block % o == 0 && groups % (block / o) == 0, "\(layer.name): groups of \(c) to \(o) channels")
    }
    joined = needsJoining ? block / o : 1
    let joinedGroups = groups / joined
    let dense = [joined * o, joined * c, layer.kernel, layer.kernel]
    dimensions = groups == 1 ? dense : [joinedGroups] + dense
    count = dimensions.reduce(1, *)
    if joined > 1 { scratch.reserve(.joinedWeight, bytes: count * 4) }
  }

  /// Row-major.
  var layout: DNNLayout { DNNLayout(plain: dimensions) }

  /// The weight in `dimensions`' plain order.
  func expanded() -> UnsafeMutablePointer<Float> {
    let value = parameter.value.baseAddress!
    guard joined > 1 else { return value }
    let wide = scratch[.joinedWeight]
    wide.update(repeating: 0, count: count)
    forEachRow { plain, expanded in (wide + expanded).update(from: value + plain, count: c * taps) }
    return wide
  }

  /// Adds a gradient in `dimensions`' plain order to the parameter's, where that is trained and not its layer's bias alone.
  func accumulate(_ gradient: UnsafeMutablePointer<Float>) {
    guard parameter.isTrained else { return }
    let sum = parameter.gradient.baseAddress!
    let row = c * taps
    if joined == 1 {
      Elementwise.add(.init(start: gradient, count: count), into: .init(start: sum, count: count))
    } else {
      forEachRow { plain, expanded in
        for i in 0..<row { sum[plain + i] += gradient[expanded + i] }
      }
    }
  }

  /// Offsets of each output channel's own inputs: in the parameter, and in the joined weight.
  private func forEachRow(_ body: (_ plain: Int, _ expanded: Int) -> Void) {
    for output in 0..<(groups * o) {
      let groupInJoined = (output / o) % joined
      body(output * c * taps, (output * joined + groupInJoined) * c * taps)
    }
  }
}

/// Brings a weight into the layout that a primitive chose, in the shared scratch.
final class WeightReorder {
  /// What the primitive reads.
  let target: DNNMemory

  private let weight: ConvolutionWeight
  private let source: DNNMemory
  /// Nil where the primitive reads the plain order.
  private let copy: DNNCall?
  private let scratch: Scratch

  init(_ weight: ConvolutionWeight, to layout: DNNLayout, scratch: Scratch) {
    self.weight = weight
    self.scratch = scratch
    source = DNNMemory(weight.layout)
    target = DNNMemory(layout)
    copy = layout == weight.layout ? nil : DNNCall(copying: source, to: target, scratch: scratch)
    if copy != nil { scratch.reserve(.blockedWeight, bytes: layout.bytes) }
  }

  func execute() {
    guard let copy else { return target.point(to: weight.expanded()) }
    source.point(to: weight.expanded())
    target.point(to: scratch[.blockedWeight])
    copy.execute()
  }
}

extension DNNConvolution {
  init(_ layer: ConvolutionGeometry, _ weight: ConvolutionWeight, input: Shape, hasBias: Bool) {
    self.init(
      name: layer.name, input: input, output: layer.outputShape(input), weight: weight.dimensions, hasBias: hasBias,
      stride: layer.stride, padding: layer.padding)
  }
}
