/// Stochastic gradient descent with momentum, in PyTorch's order.
///
/// p parameter, g gradient, v momentum, c the clipping factor (1 without clipping):
///
///     d = c g + decay p        v = momentum v + d        p = p - rate v                    plain
///                                                        p = p - rate (d + momentum v)     Nesterov
///
/// Every element is computed by the same fused multiply-adds wherever it lies, so replicas stay equal to the last bit
/// for any number of threads.
package final class SGD {
  package let store: ParameterStore
  package let momentum: Float
  package let isNesterov: Bool
  /// Neighbours in the store that share a weight decay; padding belongs to the parameter before it and stays zero.
  private let groups: [(range: Range<Int>, decay: Float)]

  /// `weightDecay` says for each trained parameter how much of it is added to its gradient.
  package init(
    _ store: ParameterStore, momentum: Float = 0.9, isNesterov: Bool = false, weightDecay: (Parameter) -> Float
  ) {
    self.store = store
    self.momentum = momentum
    self.isNesterov = isNesterov
    var groups: [(range: Range<Int>, decay: Float)] = []
    let trained = store.parameters.filter(\.isTrained).count
    for index in 0..<trained {
      let end = index + 1 < trained ? store.offsets[index + 1] : store.trainedCount
      let decay = weightDecay(store.parameters[index])
      if let last = groups.last, last.decay == decay {
        groups[groups.count - 1].range = last.range.lowerBound..<end
      } else {
        groups.append((store.offsets[index]..<end, decay))
      }
    }
    self.groups = groups
  }

  /// One update of `range` of the store's trained elements, by default of all.
  ///
  /// One pass: reads p, g and v, writes p and v.
  package func update(learningRate: Float, gradientFactor: Float = 1, in range: Range<Int>? = nil) {
    let range = range ?? 0..<store.trainedCount
    precondition(
      store.gradients.count >= range.upperBound && store.momenta.count >= range.upperBound,
      "An update of \(range) over \(store.gradients.count) gradients and \(store.momenta.count) momenta")
    guard let values = store.values.baseAddress, let gradients = store.gradients.baseAddress,
      let momenta = store.momenta.baseAddress
    else { return }
    // Shares of whole cache lines: no line is written by two threads.
    let line = 16
    let lines = (range.count + line - 1) / line
    Parallel.ranges(lines) { part in
      let start = range.lowerBound + part.lowerBound * line
      let mine = start..<min(range.lowerBound + part.upperBound * line, range.upperBound)
      for group in groups {
        let piece = group.range.clamped(to: mine)
        if piece.isEmpty { continue }
        let rule = rule(learningRate: learningRate, weightDecay: group.decay, gradientFactor: gradientFactor)
        let i = piece.lowerBound
        rule.apply(
          values + i, into: values + i, gradient: gradients + i, momentum: momenta + i, count: piece.count)
      }
    }
  }

  /// The rule for one parameter, for callers that hold its gradient block by block.
  package func rule(learningRate: Float, weightDecay: Float, gradientFactor: Float = 1) -> UpdateRule {
    UpdateRule(
      learningRate: learningRate, momentum: momentum, weightDecay: weightDecay, isNesterov: isNesterov,
      gradientFactor: gradientFactor)
  }
}
