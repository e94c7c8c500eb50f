/// The update of a store's parameters by an optimizer, whose state it makes beside them.
package final class ParameterUpdate {
  package let store: ParameterStore
  package let optimizer: Optimizer
  /// Neighbours in the store that share a weight decay; padding belongs to the parameter before it and stays zero.
  private let groups: [(range: Range<Int>, decay: Float)]

  /// `weightDecay` says for each trained parameter how much it decays.
  package init(_ store: ParameterStore, _ optimizer: Optimizer, weightDecay: (Parameter) -> Float) {
    self.store = store
    self.optimizer = optimizer
    store.makeStates(optimizer.stateNames)
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
  /// One pass: reads values, gradients and states, writes values and states.
  package func run(_ step: UpdateStep, in range: Range<Int>? = nil) {
    let range = range ?? 0..<store.trainedCount
    precondition(
      store.gradients.count >= range.upperBound,
      "An update of \(range) over \(store.gradients.count) gradients")
    guard let values = store.values.baseAddress, let gradients = store.gradients.baseAddress else { return }
    let states = store.states
    // Shares of whole cache lines: no line is written by two threads.
    let line = 16
    let lines = (range.count + line - 1) / line
    Parallel.ranges(lines) { part in
      let start = range.lowerBound + part.lowerBound * line
      let mine = start..<min(range.lowerBound + part.upperBound * line, range.upperBound)
      for group in groups {
        let piece = group.range.clamped(to: mine)
        if piece.isEmpty { continue }
        let i = piece.lowerBound
        optimizer.rule(step, weightDecay: group.decay)
          .apply(values + i, into: values + i, gradient: gradients + i, states: states, at: i, count: piece.count)
      }
    }
  }
}
