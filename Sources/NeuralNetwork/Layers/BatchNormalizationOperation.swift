/// Batch normalization bound to one batch size. The passes over memory are counted at `ChannelKernel`.
final class BatchNormalizationOperation: Operation {
  private let layer: BatchNormalization
  private let mode: Mode
  private let kernel: ChannelKernel
  private let sums: ChannelSumsTable
  /// Rows of channels: a, b and the mean of the last forward pass, c and d of the backward pass, q = 1 / sqrt(var + eps).
  private let saved: AlignedMemory

  private let x: Tensor
  private let y: Tensor
  private let residual: Tensor?
  private let dy: Tensor?
  private let otherGradient: Tensor?
  private let dx: Tensor?
  private let slope: UnsafeMutablePointer<Float>?

  private enum Row: Int { case a, b, mean, c, d, q }

  private var view: ChannelView { kernel.view }

  init(_ layer: BatchNormalization, _ binding: Binding) {
    self.layer = layer
    mode = binding.mode
    kernel = ChannelKernel(view: ChannelView(binding.input))
    saved = AlignedMemory(count: 6 * layer.channels)
    sums = ChannelSumsTable(groups: mode == .training ? kernel.view.groups : 0)
    x = binding.input
    y = binding.output
    residual = binding.inputs.count > 1 ? binding.inputs[1] : nil
    dy = binding.outputGradients.first
    otherGradient = binding.outputGradients.count > 1 ? binding.outputGradients[1] : nil
    dx = binding.inputGradient
    slope = layer.slope?.value.baseAddress
  }

  func reset() { sums.clear() }

  func observe(_ images: Range<Int>) {
    let x = x.vectors(images)
    let images = view.images(images)
    sums.add(images, view) { image, group, shift in
      kernel.statistics(x, image: image, group: group, shift: shift)
    } firstValue: { group in
      x[view.start(image: images.lowerBound, group: group)]
    }
  }

  func beginForward() {
    switch mode {
    case .training: useBatchStatistics()
    case .evaluation: useRunningStatistics()
    }
  }

  func forward(_ images: Range<Int>) {
    let (a, b) = (row(.a), row(.b))
    let (x, y, residual) = (x.vectors(images), y.vectors(images), residual?.vectors(images))
    forEach(images) { image, group in
      kernel.apply(
        x, to: y, image: image, group: group, a: a.vector(group), b: b.vector(group), slope: slope?.vector(group),
        residual: residual)
    }
  }

  func observeGradient(_ images: Range<Int>) {
    guard let dy = dy?.vectors(images) else { return }
    let (x, otherGradient) = (x.vectors(images), otherGradient?.vectors(images))
    let (a, b, mean) = (row(.a), row(.b), row(.mean))
    sums.add(view.images(images), view) { image, group, _ in
      kernel.gradientSums(
        dy, adding: otherGradient, x, image: image, group: group, a: a.vector(group), b: b.vector(group),
        mean: mean.vector(group), slope: slope?.vector(group))
    } firstValue: { _ in
      .zero
    }
  }

  /// With S = sum dz, Q = sum dz (x - mean), q = 1 / sqrt(var + eps), a = weight q:
  /// dbias = S, dweight = q Q, dx = a (dz - S / m - (x - mean) q^2 Q / m) = a dz + c x + d.
  func beginBackward() {
    let count = Double(view.count)
    let weight = layer.weight.value.baseAddress!
    for group in 0..<view.groups {
      let sum = sums.total(group)
      for lane in 0..<ChannelView.lanes {
        let channel = group * ChannelView.lanes + lane
        let q = Double(row(.q)[channel])
        let (S, Q) = (sum.first[lane], sum.second[lane])
        if layer.weight.isTrained { layer.weight.gradient[channel] += Float(q * Q) }
        layer.bias.gradient[channel] += Float(S)
        if let slope = layer.slope { slope.gradient[channel] += Float(sum.third[lane]) }
        let slant = -Double(weight[channel]) * q * q * q * Q / count
        row(.c)[channel] = Float(slant)
        row(.d)[channel] = Float(-Double(weight[channel]) * q * S / count - slant * Double(row(.mean)[channel]))
      }
    }
  }

  func backward(_ images: Range<Int>) {
    guard let dy = dy?.vectors(images), let dx = dx?.vectors(images) else { return }
    let x = x.vectors(images)
    let (a, b, c, d) = (row(.a), row(.b), row(.c), row(.d))
    forEach(images) { image, group in
      kernel.applyGradient(
        dy, x, to: dx, image: image, group: group, a: a.vector(group), b: b.vector(group), c: c.vector(group),
        d: d.vector(group), slope: slope?.vector(group))
    }
  }

  private func forEach(_ images: Range<Int>, _ body: (_ image: Int, _ group: Int) -> Void) {
    let images = view.images(images)
    Parallel.ranges(view.groups) { groups in
      for image in images { for group in groups { body(image, group) } }
    }
  }

  private func row(_ row: Row) -> UnsafeMutablePointer<Float> {
    saved.elements.baseAddress! + row.rawValue * layer.channels
  }

  private func useBatchStatistics() {
    let count = Double(view.count)
    for group in 0..<view.groups {
      let (means, squares) = sums.moments(group, positions: view.positions)
      for lane in 0..<ChannelView.lanes {
        let channel = group * ChannelView.lanes + lane
        let (mean, variance) = (means[lane], squares[lane] / count)
        // One value has no unbiased variance; 0 is what it shows.
        let unbiased = count > 1 ? squares[lane] / (count - 1) : 0
        store(channel, mean: mean, variance: variance)
        move(layer.runningMean, channel, to: mean)
        move(layer.runningVariance, channel, to: unbiased)
      }
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
