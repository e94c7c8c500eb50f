/// The update of a store's parameters by an optimizer, whose state it makes beside them.
///
/// `run` as gradients become complete, in any pieces; then, where there are matrices (Muon), `orthogonalize` on each rank, the
/// ranks' shares of the gradients to all, and `finish`.
package final class ParameterUpdate {
  package let store: ParameterStore
  package let optimizer: Optimizer
  /// What each rank orthogonalizes: ranges of the store's gradients, one after the other. Empty without matrices.
  package let shares: [Range<Int>]

  /// Neighbours in the store that share a weight decay and a rate, and each matrix; padding belongs to the parameter before it and
  /// stays zero.
  private let groups: [Group]
  private let orthogonalization: Orthogonalization?

  private struct Group {
    var range: Range<Int>
    let decay: Float
    let rateFactor: Double
    /// max(rows, columns) of a matrix.
    let longerSide: Int?
  }

  /// `weightDecay` says for each trained parameter how much it decays, `rateFactor` what its learning rate is multiplied
  /// with, and so its decay.
  package init(
    _ store: ParameterStore, _ optimizer: Optimizer, rank: Int = 0, of ranks: Int = 1,
    weightDecay: (Parameter) -> Float,
    rateFactor: (Parameter) -> Double = { _ in 1 }
  ) {
    self.store = store
    self.optimizer = optimizer
    store.makeStates(optimizer.stateNames)
    var groups: [Group] = []
    let trained = store.parameters.filter(\.isTrained).count
    for index in 0..<trained {
      let parameter = store.parameters[index]
      let end = index + 1 < trained ? store.offsets[index + 1] : store.trainedCount
      let rows = parameter.shape[0]
      let group = Group(
        range: store.offsets[index]..<end, decay: weightDecay(parameter), rateFactor: rateFactor(parameter),
        longerSide: optimizer.updatesMatrices && Muon.isMatrix(parameter) ? max(rows, parameter.count / rows) : nil)
      if let last = groups.last, last.decay == group.decay, last.rateFactor == group.rateFactor, last.longerSide == nil,
        group.longerSide == nil
      {
        groups[groups.count - 1].range = last.range.lowerBound..<end
      } else {
        groups.append(group)
      }
    }
    self.groups = groups
    guard optimizer.updatesMatrices, trained > 0 else {
      (shares, orthogonalization) = ([], nil)
      return
    }
    let parts = MatrixWork(store.parameters.prefix(trained)).shares(ranks: ranks)
    let ends = store.offsets.prefix(trained) + [store.trainedCount]
    shares = parts.map { ends[$0.lowerBound]..<ends[$0.upperBound] }
    orthogonalization = Orthogonalization(store.parameters[parts[rank]])
  }

  /// One update of `range` of the store's trained elements, by default of all. Of matrices the gradient's average alone.
  ///
  /// One pass: reads values, gradients and states, writes values and states.
  package func run(_ step: UpdateStep, in range: Range<Int>? = nil) {
    guard let values = store.values.baseAddress, let gradients = store.gradients.baseAddress else { return }
    let states = store.states
    forPieces(of: range ?? 0..<store.trainedCount) { group, piece in
      let (i, step) = (piece.lowerBound, scaled(step, by: group))
      if let rule = optimizer.matrixRule(step, group.decay, longerSide: group.longerSide) {
        rule.average(gradients + i, average: states[0].values.baseAddress! + i, count: piece.count)
      } else {
        optimizer.rule(step, weightDecay: group.decay)
          .apply(values + i, into: values + i, gradient: gradients + i, states: states, at: i, count: piece.count)
      }
    }
  }

  /// Bytes of what the optimizer needs besides its states.
  package var bytes: Int { orthogonalization?.bytes ?? 0 }

  /// This rank's share of the matrices, in place of their gradients.
  package func orthogonalize() { orthogonalization?.run() }

  /// The matrices' update, from what all ranks orthogonalized.
  package func finish(_ step: UpdateStep) {
    guard let values = store.values.baseAddress, let gradients = store.gradients.baseAddress else { return }
    forPieces(of: 0..<store.trainedCount) { group, piece in
      optimizer.matrixRule(scaled(step, by: group), group.decay, longerSide: group.longerSide)?
        .apply(values + piece.lowerBound, direction: gradients + piece.lowerBound, count: piece.count)
    }
  }

  private func scaled(_ step: UpdateStep, by group: Group) -> UpdateStep {
    var own = step
    own.learningRate *= group.rateFactor
    return own
  }

  private func forPieces(of range: Range<Int>, _ body: (Group, Range<Int>) -> Void) {
    precondition(
      store.gradients.count >= range.upperBound,
      "An update of \(range) over \(store.gradients.count) gradients")
    // Shares of whole cache lines: no line is written by two threads.
    let line = 16
    let lines = (range.count + line - 1) / line
    Parallel.ranges(lines) { part in
      let start = range.lowerBound + part.lowerBound * line
      let mine = start..<min(range.lowerBound + part.upperBound * line, range.upperBound)
      for group in groups {
        let piece = group.range.clamped(to: mine)
        if !piece.isEmpty { body(group, piece) }
      }
    }
  }
}
