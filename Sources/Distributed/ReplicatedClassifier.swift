package import MPI
package import NeuralNetwork
package import Weights

/// The whole class weight on every rank: each computes with its own samples, and the gradients are summed.
package final class ReplicatedClassifier: Classifier {
  package let head: LargeMarginCosineLoss
  package var replicas: [ParameterStore] { [head.store] }
  package var bytes: Int { head.bytes }

  private let communicator: Communicator
  private let reducer: GradientReducer
  private let messages: StepMessages
  private let clips: Bool
  /// Rows are updated while their gradient is computed: with one rank, and nothing to accumulate or clip.
  private let isFused: Bool

  /// - Parameters:
  ///   - capacity: the largest micro-batch.
  ///   - accumulates: a step may have several micro-batches.
  package init(
    classCount: Int, width: Int, capacity: Int, accumulates: Bool, settings: StepSettings, reducer: GradientReducer,
    messages: StepMessages, communicator: Communicator
  ) throws {
    if settings.sampling != nil { throw ShardingError.samplingNeedsSharded }
    self.communicator = communicator
    self.reducer = reducer
    self.messages = messages
    clips = settings.gradientClipping != nil
    isFused = communicator.size == 1 && !accumulates && !clips
    head = LargeMarginCosineLoss(
      classes: 0..<classCount, of: classCount, width: width, capacity: capacity, margin: settings.margin,
      logitScale: settings.logitScale, holdsGradient: !isFused)
    head.store.makeStates(settings.optimizer.stateNames)
  }

  package func synchronize() throws {
    head.materialize()
    try communicator.broadcast(head.store.values)
    head.valueChanged()
  }

  /// Rank 0 fills its replica; `resume` sends it.
  package func restore(_ rows: ClassRows?) throws {
    try rows?.expect(count: head.classCount, width: head.width, states: head.store.states.map(\.name))
    try rows?.copy(0..<head.rowCount, values: head.classWeight.value, states: head.classWeight.states)
  }

  package func resume(scale: Double) throws {
    try communicator.broadcast(head.store.values)
    for state in head.store.states { try communicator.broadcast(state.values) }
    head.restore(scale: scale)
  }

  package func streamRows(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    head.materialize()
    if communicator.rank == 0 { try body(UnsafeRawBufferPointer(head.classWeight.value)) }
  }

  package func begin(step: Int, sampleCounts: [Int]) -> Int { max(sampleCounts.count, 1) }

  package func forward(
    _ embeddings: UnsafePointer<Float>, labels: UnsafeBufferPointer<Int32>, count: Int
  ) throws -> Double {
    try head.forward(embeddings, labels: labels, count: count)
  }

  /// In the last round each piece of rows travels while the next is computed.
  package func backward(into gradient: UnsafeMutablePointer<Float>, isLast: Bool, rule: UpdateRule) throws {
    guard isLast else { return head.backward(into: gradient) }
    guard !isFused else { return head.backward(into: gradient, updatingWith: rule) }
    try head.backward(into: gradient, rowsPerPiece: messages.rowsPerPiece) { piece in
      let range = (piece.lowerBound * head.width)..<(piece.upperBound * head.width)
      // Clipping needs the whole gradient's norm first; else rows are updated as soon as their sum is there.
      let whenSummed =
        clips ? nil : { [head] in head.update(piece, with: rule, clearingGradient: true) }
      try reducer.start(.init(rebasing: head.classWeight.gradient[range]), .classWeight, whenSummed: whenSummed)
    }
  }

  package func squaredGradientNorm() -> Double { 0 }

  package func update(with rule: UpdateRule) {
    if clips { head.update(0..<head.rowCount, with: rule, clearingGradient: true) }
  }

  /// Rank 0 finds the shared norm and the row factors; every rank multiplies its rows: K times less traffic than W.
  package func renormalize(to norm: Double?) throws {
    var scale = 0.0
    if communicator.rank == 0 {
      scale = norm ?? head.rowNormSum() / Double(head.classCount)
      try head.computeRowFactors(scale: scale)
    }
    if communicator.size > 1 {
      scale = try communicator.broadcast(scale)
      precondition(head.rowFactors.count == messages.count(.rowFactors), "Row factors of other classes")
      try communicator.broadcast(head.rowFactors)
    }
    head.apply(scale: scale)
  }
}
