package import MPI
package import NeuralNetwork

/// One step of training on all ranks: forward, loss, backward with the allreduces behind it, update, renormalization.
///
/// The step's mathematics are numbered as in the design:
/// 1 backbone, 2 L2Normalize, 3 LMCL, 4 softmax cross-entropy, 5 allreduce, 6 SGD, 7 renormalization by rank 0.
package final class TrainingStep {
  package let network: Network
  package let head: LargeMarginCosineLoss
  package let normalize: L2Normalize
  package let settings: StepSettings
  package let communicator: Communicator
  /// Samples before the micro-batch that is, or was last, at work, and its size: an error's sample counts from there.
  package private(set) var firstSample = 0
  package private(set) var batchSize = 0

  private let optimizer: SGD
  private let reducer: GradientReducer
  private let clipping: GradientClipping?
  /// One rank, nothing to accumulate or clip: the class weight is updated as its gradient arises.
  private let isFused: Bool

  /// - Parameters:
  ///   - capacity: the largest micro-batch.
  ///   - accumulates: a step may have several micro-batches.
  package init(
    _ network: Network, classCount: Int, capacity: Int, accumulates: Bool = false, settings: StepSettings,
    communicator: Communicator
  ) {
    self.network = network
    self.settings = settings
    self.communicator = communicator
    isFused = communicator.size == 1 && !accumulates && settings.gradientClipping == nil
    head = LargeMarginCosineLoss(
      classes: 0..<classCount, of: classCount, width: network.embeddingWidth, capacity: capacity,
      margin: settings.margin, logitScale: settings.logitScale, holdsGradient: !isFused)
    normalize = L2Normalize(width: network.embeddingWidth, capacity: capacity)
    let decay = Float(settings.weightDecay)
    optimizer = SGD(network.parameters, momentum: Float(settings.momentum), isNesterov: settings.isNesterov) { _ in
      decay
    }
    reducer = GradientReducer(network, communicator, bucketBytes: settings.bucketBytes)
    let stores = [network.parameters, head.store]
    clipping = settings.gradientClipping.map { GradientClipping(stores, maximumNorm: $0) }
    network.reserve(training: capacity)
  }

  /// Makes rank 0's weights everybody's, and gives all class rows one norm: `norm`, or the mean of theirs.
  ///
  /// Once after the weights were initialized or loaded.
  package func synchronize(classWeightNorm norm: Double? = nil) throws {
    head.materialize()
    for values in [network.parameters.values, network.statistics.values, head.store.values] {
      try communicator.broadcast(values)
    }
    network.weightsChanged()
    head.valueChanged()
    try renormalize(to: norm)
  }

  /// Makes rank 0's state everybody's, momenta too: where a run goes on. `scale` is the norm that all class rows share.
  package func resume(scale: Double) throws {
    for store in [network.parameters, network.statistics, head.store] {
      try communicator.broadcast(store.values)
      try communicator.broadcast(store.momenta)
    }
    network.weightsChanged()
    head.restore(scale: scale)
  }

  /// Trains on this rank's micro-batches; `count` = samples of all ranks in this step.
  ///
  /// Returns this rank's part of the loss: the ranks' parts add up to the mean over all samples.
  package func run(_ batches: [MicroBatch], count: Int, learningRate: Double) throws -> Double {
    do {
      network.parameters.zeroGradients()
      var loss = 0.0
      (firstSample, batchSize) = (0, 0)
      for batch in batches.dropLast() { loss += try accumulate(batch, count: count) }
      loss += try finish(batches.last, count: count, learningRate: learningRate)
      try average(samples: batches.reduce(0) { $0 + $1.count }, of: count)
      try reducer.finish()
      try update(learningRate: learningRate)
      try renormalize(to: nil)
      return loss
    } catch {
      reducer.abandon()
      throw error
    }
  }

  /// Forward and backward of a micro-batch that others follow: gradients only add up.
  private func accumulate(_ batch: MicroBatch, count: Int) throws -> Double {
    let pass = network.pass(batch: batch.count, .training)
    let loss = try forward(batch, pass, count: count)
    let gradient = pass.outputGradient.elements
    head.backward(into: gradient)
    normalize.backward(gradient, into: gradient)
    pass.backward { _ in }
    return loss
  }

  /// Forward and backward of the last micro-batch: what is finished travels while the rest is computed.
  ///
  /// A rank without samples (nil) takes part in every allreduce, in the same order.
  private func finish(_ batch: MicroBatch?, count: Int, learningRate: Double) throws -> Double {
    guard let batch, batch.count > 0 else {
      let nothing = normalize.embeddings.baseAddress!
      let loss = try head.forward(nothing, labels: .init(start: nil, count: 0), count: count)
      try classWeightBackward(into: nothing, learningRate: learningRate)
      for layer in network.layers.reversed() where !layer.parameters.isEmpty { try reducer.add(layer) }
      return loss
    }
    let pass = network.pass(batch: batch.count, .training)
    let loss = try forward(batch, pass, count: count)
    let gradient = pass.outputGradient.elements
    try classWeightBackward(into: gradient, learningRate: learningRate)
    normalize.backward(gradient, into: gradient)
    try pass.backward { layer in try reducer.add(layer) }
    return loss
  }

  private func forward(_ batch: MicroBatch, _ pass: Pass, count: Int) throws -> Double {
    firstSample += batchSize
    batchSize = batch.count
    _ = pass.input.buffer.update(fromContentsOf: batch.images)
    network.random.keys = batch.keys
    pass.forward()
    try normalize.forward(pass.output.elements, batch: batch.count)
    return try head.forward(normalize.embeddings.baseAddress!, labels: batch.labels, count: count)
  }

  /// Writes dL/d embedding, (M, K).
  private func classWeightBackward(into gradient: UnsafeMutablePointer<Float>, learningRate: Double) throws {
    guard !isFused else {
      return head.backward(into: gradient, updatingWith: rule(learningRate))
    }
    let rows = max(settings.bucketBytes / (4 * head.width), 1)
    try head.backward(into: gradient, rowsPerPiece: rows) { piece in
      let range = (piece.lowerBound * head.width)..<(piece.upperBound * head.width)
      // Clipping needs the whole gradient's norm first; else rows are updated as soon as their sum is there.
      let whenSummed =
        clipping == nil
        ? { [head, rule = rule(learningRate)] in
          head.update(piece, with: rule, clearingGradient: true)
        } : nil
      try reducer.start(.init(rebasing: head.classWeight.gradient[range]), whenSummed: whenSummed)
    }
  }

  /// Running statistics: the mean over the samples of all ranks; a rank without samples has nothing to say.
  private func average(samples: Int, of count: Int) throws {
    guard communicator.size > 1, network.statistics.values.count > 0 else { return }
    Elementwise.multiply(network.statistics.values, by: Float(samples) / Float(count))
    try reducer.start(network.statistics.values)
  }

  private func update(learningRate: Double) throws {
    var factor: Float = 1
    if let clipping {
      let norm = clipping.norm()
      guard norm.isFinite else { throw NonFinite.gradientNorm(norm) }
      factor = clipping.factor(forNorm: norm)
      head.update(0..<head.rowCount, with: rule(learningRate, factor: factor), clearingGradient: true)
    }
    optimizer.update(learningRate: Float(learningRate), gradientFactor: factor)
  }

  private func rule(_ learningRate: Double, factor: Float = 1) -> UpdateRule {
    UpdateRule(
      learningRate: Float(learningRate), momentum: Float(settings.momentum),
      weightDecay: Float(settings.classWeightDecay), isNesterov: settings.isNesterov, gradientFactor: factor)
  }

  /// Rank 0 finds the shared norm and the row factors; every rank multiplies its rows: K times less traffic than W.
  private func renormalize(to norm: Double?) throws {
    var scale = 0.0
    if communicator.rank == 0 {
      scale = norm ?? head.rowNormSum() / Double(head.classCount)
      try head.computeRowFactors(scale: scale)
    }
    if communicator.size > 1 {
      scale = try communicator.broadcast(scale)
      try communicator.broadcast(head.rowFactors)
    }
    head.apply(scale: scale)
  }
}
