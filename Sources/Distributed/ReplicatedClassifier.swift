package import MPI
package import NeuralNetwork
package import Weights

/// The whole class weight on every rank: each computes with its own samples, and the gradients are summed.
package final class ReplicatedClassifier: Classifier {
  package let head: LargeMarginCosineLoss
  package var replicas: [ParameterStore] { [classWeight.store] }
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
    head.classWeight.store.makeStates(settings.optimizer.stateNames)
  }

  package func synchronize() throws {
    classWeight.materialize()
    try communicator.broadcast(classWeight.store.values)
    classWeight.valueChanged()
  }

  /// Rank 0 fills its replica; `resume` sends it.
  package func restore(_ rows: ClassRows?) throws {
    try rows?.expect(count: classWeight.classCount, width: classWeight.width, states: classWeight.states.map(\.name))
    try rows?.copy(0..<classWeight.rowCount, values: classWeight.value, states: classWeight.states)
  }

  package func resume(scale: Double) throws {
    try communicator.broadcast(classWeight.store.values)
    for state in classWeight.store.states { try communicator.broadcast(state.values) }
    classWeight.restore(scale: scale)
  }

  package func streamRows(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    classWeight.materialize()
    if communicator.rank == 0 { try body(UnsafeRawBufferPointer(classWeight.value)) }
  }

  package func begin(step: Int, sampleCounts: [Int]) -> Int { max(sampleCounts.count, 1) }

  package func forward(
    _ embeddings: UnsafePointer<Float>, labels: UnsafeBufferPointer<Int32>, count: Int
  ) throws -> Double {
    try head.forward(embeddings, labels: labels, count: count)
  }

  /// In the last round each piece of rows travels while the next is computed.
  package func backward(into gradient: UnsafeMutablePointer<Float>?, isLast: Bool, rule: UpdateRule) throws {
    guard isLast else { return head.backward(into: gradient) }
    guard !isFused else { return head.backward(into: gradient, updatingWith: rule) }
    try head.backward(into: gradient, rowsPerPiece: messages.rowsPerPiece) { piece in
      let range = (piece.lowerBound * classWeight.width)..<(piece.upperBound * classWeight.width)
      // Clipping needs the whole gradient's norm first; else rows are updated as soon as their sum is there.
      let whenSummed =
        clips ? nil : { [classWeight] in classWeight.update(piece, with: rule, clearingGradient: true) }
      try reducer.start(.init(rebasing: classWeight.gradient[range]), .classWeight, whenSummed: whenSummed)
    }
  }

  package func squaredGradientNorm() -> Double { 0 }

  package func update(with rule: UpdateRule) {
    if clips { classWeight.update(0..<classWeight.rowCount, with: rule, clearingGradient: true) }
  }

  /// Rank 0 finds the shared norm and the row factors; every rank multiplies its rows: K times less traffic than W.
  package func renormalize(to norm: Double?) throws {
    var scale = 0.0
    if communicator.rank == 0 {
      scale = norm ?? classWeight.rowNormSum() / Double(classWeight.classCount)
      try classWeight.computeRowFactors(scale: scale)
    }
    if communicator.size > 1 {
      scale = try communicator.broadcast(scale)
      precondition(classWeight.rowFactors.count == messages.count(.rowFactors), "Row factors of other classes")
      try communicator.broadcast(classWeight.rowFactors)
    }
    classWeight.apply(scale: scale)
  }
}
