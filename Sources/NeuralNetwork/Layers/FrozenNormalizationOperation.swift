import VectorKernels

/// A batch normalization that is frozen, between layers that are trained: the running statistics are constants of the step.
///
///     forward     z = a x + b          y = PReLU(z) + r          a = weight / sqrt(var + eps), b = bias - a mean
///     backward    dx = a dz
///
/// The slope of its PReLU may be trained all the same; then backward goes twice over a piece, the second time in the cache.
final class FrozenNormalizationOperation: Operation {
  private let layer: BatchNormalization
  private let binding: Binding
  private let view: ChannelView
  private let sums: ChannelSumsTable
  private let trainsSlope: Bool
  /// Rows of channels: a, b, and zeros.
  private let rows: AlignedMemory
  private let map: ChannelMap
  private let zero: UnsafeMutablePointer<Float>

  var channelMap: ChannelMap? { map }

  init(_ layer: BatchNormalization, _ binding: Binding) {
    self.layer = layer
    self.binding = binding
    view = ChannelView(binding.input)
    trainsSlope = layer.slope?.isTrained == true
    sums = ChannelSumsTable(view, isUsed: trainsSlope)
    rows = AlignedMemory(count: 3 * layer.channels)
    let start = rows.elements.baseAddress!
    map = ChannelMap(a: start, b: start + layer.channels, slope: layer.slope?.value.baseAddress)
    zero = start + 2 * layer.channels
  }

  func reset() { sums.clear() }

  func beginForward() {
    let (a, b) = (rows.elements.baseAddress!, rows.elements.baseAddress! + layer.channels)
    for channel in 0..<layer.channels {
      let map = layer.runningMap(channel)
      a[channel] = Float(map.a)
      b[channel] = Float(map.b)
    }
  }

  func forward(_ images: Range<Int>) {
    let (x, y) = (binding.input.base(images), binding.output.base(images))
    let residual = binding.inputs.count > 1 ? binding.inputs[1].base(images) : nil
    view.forEach(images) { view.kernels.apply(map, $0, x, adding: residual, to: y) }
  }

  func backward(_ images: Range<Int>) {
    let (x, dy) = (binding.input.base(images), binding.outputGradients[0].base(images))
    let dx = binding.inputGradient?.base(images)
    guard trainsSlope else {
      guard let dx else { return }
      return view.forEach(images) { view.kernels.applyGradient(map, $0, dy, x, c: zero, d: zero, to: dx) }
    }
    let other = binding.outputGradients.count > 1 ? binding.outputGradients[1].base(images) : nil
    sums.add(images) { group, _, sums in
      view.kernels.addGradients(map, group, dy, adding: other, x, mean: zero, to: sums)
      if let dx { view.kernels.applyGradient(map, group, dy, x, c: zero, d: zero, to: dx) }
    }
  }

  func endBackward() {
    guard trainsSlope, let slope = layer.slope else { return }
    for channel in 0..<layer.channels { slope.gradient[channel] += Float(sums.total(2, channel)) }
  }
}
