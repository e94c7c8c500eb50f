import VectorKernels

/// Batch normalization bound to one batch size. The passes over memory are counted in KernelSet+Channels.swift.
final class BatchNormalizationOperation: Operation {
  private let layer: BatchNormalization
  private let mode: Mode
  private let view: ChannelView
  private let sums: ChannelSumsTable
  /// Rows of channels: a, b and the mean of the last forward pass, c and d of the backward pass, q = 1 / sqrt(var + eps).
  private let saved: AlignedMemory

  private let x: Tensor
  private let y: Tensor
  private let residual: Tensor?
  private let dy: Tensor?
  private let otherGradient: Tensor?
  private let dx: Tensor?
  private let map: ChannelMap

  var channelMap: ChannelMap? { map }

  private enum Row: Int { case a, b, mean, c, d, q }

  init(_ layer: BatchNormalization, _ binding: Binding) {
    self.layer = layer
    mode = binding.mode
    view = ChannelView(binding.input)
    saved = AlignedMemory(count: 6 * layer.channels)
    sums = ChannelSumsTable(view, isUsed: mode == .training)
    x = binding.input
    y = binding.output
    residual = binding.inputs.count > 1 ? binding.inputs[1] : nil
    dy = binding.outputGradients.first
    otherGradient = binding.outputGradients.count > 1 ? binding.outputGradients[1] : nil
    dx = binding.inputGradient
    let rows = saved.elements.baseAddress!
    map = ChannelMap(
      a: rows + Row.a.rawValue * layer.channels, b: rows + Row.b.rawValue * layer.channels,
      slope: layer.slope?.value.baseAddress)
  }

  func reset() { sums.clear() }

  func observe(_ images: Range<Int>) {
    let x = x.base(images)
    sums.add(images, shiftsFrom: x) { group, shifts, sums in
      view.kernels.addMoments(group, x, shift: shifts, to: sums)
    }
  }

  func beginForward() {
    switch mode {
    case .training: useBatchStatistics()
    case .evaluation: useRunningStatistics()
    }
  }

  func forward(_ images: Range<Int>) {
    let (x, y, residual) = (x.base(images), y.base(images), residual?.base(images))
    view.forEach(images) { view.kernels.apply(map, $0, x, adding: residual, to: y) }
  }

  func observeGradient(_ images: Range<Int>) {
    guard let dy = dy?.base(images) else { return }
    let (x, otherGradient, mean) = (x.base(images), otherGradient?.base(images), row(.mean))
    sums.add(images) { group, _, sums in
      view.kernels.addGradients(map, group, dy, adding: otherGradient, x, mean: mean, to: sums)
    }
  }

  /// With S = sum dz, Q = sum dz (x - mean), q = 1 / sqrt(var + eps), a = weight q:
  /// dbias = S, dweight = q Q, dx = a (dz - S / m - (x - mean) q^2 Q / m) = a dz + c x + d.
  func beginBackward() {
    let count = Double(view.count)
    let weight = layer.weight.value.baseAddress!
    for channel in 0..<layer.channels {
      let q = Double(row(.q)[channel])
      let (S, Q) = (sums.total(0, channel), sums.total(1, channel))
      if layer.weight.isTrained { layer.weight.gradient[channel] += Float(q * Q) }
      if layer.bias.isTrained { layer.bias.gradient[channel] += Float(S) }
      if let slope = layer.slope, slope.isTrained { slope.gradient[channel] += Float(sums.total(2, channel)) }
      let slant = -Double(weight[channel]) * q * q * q * Q / count
      row(.c)[channel] = Float(slant)
      row(.d)[channel] = Float(-Double(weight[channel]) * q * S / count - slant * Double(row(.mean)[channel]))
    }
  }

  func backward(_ images: Range<Int>) {
    guard let dy = dy?.base(images), let dx = dx?.base(images) else { return }
    let (x, c, d) = (x.base(images), row(.c), row(.d))
    view.forEach(images) { view.kernels.applyGradient(map, $0, dy, x, c: c, d: d, to: dx) }
  }

  private func row(_ row: Row) -> UnsafeMutablePointer<Float> {
    saved.elements.baseAddress! + row.rawValue * layer.channels
  }

  private func useBatchStatistics() {
    let count = Double(view.count)
    for channel in 0..<layer.channels {
      let (mean, squares) = sums.moments(channel)
      // One value has no unbiased variance; 0 is what it shows.
      let unbiased = count > 1 ? squares / (count - 1) : 0
      store(channel, mean: mean, variance: squares / count)
      move(layer.runningMean, channel, to: mean)
      move(layer.runningVariance, channel, to: unbiased)
    }
    sums.clear()
  }

  private func useRunningStatistics() {
    for channel in 0..<layer.channels {
      store(
        channel, mean: Double(layer.runningMean.value[channel]),
        variance: Double(layer.runningVariance.value[channel]))
    }
  }

  private func store(_ channel: Int, mean: Double, variance: Double) {
    let q = 1 / (variance + BatchNormalization.epsilon).squareRoot()
    let a = Double(layer.weight.value[channel]) * q
    row(.a)[channel] = Float(a)
    row(.b)[channel] = Float(Double(layer.bias.value[channel]) - a * mean)
    row(.mean)[channel] = Float(mean)
    row(.q)[channel] = Float(q)
  }

  private func move(_ statistic: Parameter, _ channel: Int, to value: Double) {
    let old = Double(statistic.value[channel])
    statistic.value[channel] = Float(old + BatchNormalization.momentum * (value - old))
  }
}
