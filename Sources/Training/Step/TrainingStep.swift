package import Distributed
package import MPI
package import NeuralNetwork
package import Weights

/// One step of training on all ranks: forward, loss, backward with the allreduces behind it, update, renormalization.
///
/// The step's mathematics are numbered as in the design:
/// 1 backbone, 2 L2Normalize, 3 LMCL, 4 softmax cross-entropy, 5 allreduce, 6 update, 7 renormalization by rank 0.
package final class TrainingStep {
  package let network: Network
  package let normalize: L2Normalize
  package let classifier: any Classifier
  package let settings: StepSettings
  package let communicator: Communicator
  /// What the ranks send one another in a step.
  package let messages: StepMessages
  /// The largest micro-batch.
  package let capacity: Int
  package var head: LargeMarginCosineLoss { classifier.head }
  /// The rows that this rank holds.
  package var classWeight: ClassWeight { head.classWeight }
  /// Samples before the current (or last) micro-batch, and its size: an error numbers its sample from there.
  package private(set) var firstSample = 0
  package private(set) var batchSize = 0

  /// Records what the step does; nil costs nothing.
  package var trace: TraceRecorder? {
    didSet { reducer.trace = trace }
  }
  /// Sums up the time of the step's parts; nil costs nothing.
  package var clock: StepClock?
  /// Bytes that this rank has sent in all to have gradients and statistics summed, by part.
  package var sentBytes: [Int] { reducer.sentBytes }

  /// Whether the current step trains the network, and not the class weight alone.
  private var trainsNetwork = true
  private let update: ParameterUpdate
  private let reducer: GradientReducer
  private let clipping: GradientClipping?
  private let teaching: Teaching?

  /// - Parameters:
  ///   - capacity: the largest micro-batch, the same on all ranks.
  ///   - accumulates: a step may have several micro-batches.
  ///   - teacherWidth: of the teacher's embeddings that come with each micro-batch; nil without a teacher.
  package init(
    _ network: Network, classCount: Int, capacity: Int, accumulates: Bool = false, teacherWidth: Int? = nil,
    settings: StepSettings, communicator: Communicator
  ) throws {
    self.network = network
    self.settings = settings
    self.communicator = communicator
    self.capacity = capacity
    let decay = Float(settings.weightDecay)
    teaching = teacherWidth.map {
      Teaching(width: network.embeddingWidth, teacherWidth: $0, capacity: capacity, settings: settings)
    }
    let reducer = GradientReducer(
      network, communicator, bucketBytes: settings.bucketBytes, type: settings.gradientType)
    self.reducer = reducer
    var messages = StepMessages(
      settings.classifier, ranks: communicator.size, width: network.embeddingWidth, classes: classCount,
      gradients: network.parameters.trainedCount, statistics: network.movingStatisticsCount,
      buckets: GradientBuckets(
        bytes: settings.bucketBytes, type: settings.gradientType, maximumCount: communicator.maximumCount))
    messages.clips = settings.gradientClipping != nil
    messages.accumulates = accumulates
    messages.sendsDirections = settings.optimizer.updatesMatrices
    messages.teacherMap = teaching?.store.trainedCount ?? 0
    self.messages = messages
    classifier =
      switch settings.classifier {
      case .replicated:
        try ReplicatedClassifier(
          classCount: classCount, width: network.embeddingWidth, capacity: capacity, accumulates: accumulates,
          settings: settings, reducer: reducer, messages: messages, communicator: communicator)
      case .sharded:
        try ShardedClassifier(
          classCount: classCount, width: network.embeddingWidth, capacity: capacity, accumulates: accumulates,
          settings: settings, messages: messages, communicator: communicator)
      }
    normalize = L2Normalize(width: network.embeddingWidth, capacity: capacity)
    update = ParameterUpdate(
      network.parameters, settings.optimizer, rank: communicator.rank, of: communicator.size,
      weightDecay: { _ in decay },
      rateFactor: { settings.rateFactors[$0.name] ?? 1 })
    let stores = [network.parameters] + classifier.replicas + (teaching.map { [$0.store] } ?? [])
    clipping = settings.gradientClipping.map { GradientClipping(stores, maximumNorm: $0) }
    network.reserve(training: capacity)
  }

  /// What all ranks hold alike, to the bit.
  package var replicas: [ParameterStore] {
    [network.parameters, network.statistics] + classifier.replicas + companions
  }

  package var teacherWidth: Int? { teaching?.teacherWidth }
  /// This rank's part of the mean cosine to the teacher's embeddings in the last step; 0 without a teacher.
  package var teacherCosine: Double { teaching?.cosine ?? 0 }

  /// What is trained besides network and class weight, and belongs to no model: the map to a teacher's embeddings.
  package var companions: [ParameterStore] { teaching.map { [$0.store] } ?? [] }

  /// By the seed: network, class weight and companions.
  package func initialize(seed: UInt64) {
    network.initialize(seed: seed)
    classWeight.initialize(seed: seed)
    teaching?.initialize(seed: seed)
  }

  /// Copies rank 0's weights to all ranks, and gives all class rows one norm: `norm`, or the mean of theirs.
  ///
  /// Once after the weights were initialized or loaded.
  package func synchronize(classWeightNorm norm: Double? = nil) throws {
    for store in [network.parameters, network.statistics] + companions { try communicator.broadcast(store.values) }
    network.weightsChanged()
    try classifier.synchronize()
    try classifier.renormalize(to: norm)
  }

  /// Takes weights and the optimizer's states from a checkpoint, which rank 0 alone has and reads for all. Call `resume`
  /// next.
  package func restore(_ checkpoint: Checkpoint?) throws {
    try checkpoint?.restore(network)
    for store in companions { try checkpoint?.restore(companion: store) }
    try classifier.restore(checkpoint?.classRows)
  }

  /// Copies rank 0's state to all ranks, the optimizer's too, to resume a run. `scale` is the norm that all class rows share.
  package func resume(scale: Double) throws {
    for store in [network.parameters, network.statistics] + companions {
      try communicator.broadcast(store.values)
      for state in store.states { try communicator.broadcast(state.values) }
    }
    network.weightsChanged()
    try classifier.resume(scale: scale)
  }

  /// Trains on this rank's micro-batches; `count` = samples of all ranks in this step, which is the `index`-th of the run.
  ///
  /// Returns this rank's part of the loss: the ranks' parts add up to the mean over all samples.
  package func run(_ batches: [MicroBatch], index: Int, count: Int, learningRate: Double) throws -> Double {
    do {
      trainsNetwork = index >= settings.headSteps && !network.isFixed
      // While the class weight is trained alone the gradients stay zero.
      if trainsNetwork { span(.zeroGradients) { network.parameters.zeroGradients() } }
      teaching?.begin()
      let step = UpdateStep(index: index, learningRate: learningRate)
      if updatesOnArrival {
        let step = networkStep(step)
        reducer.whenSummed = { [update, clock] range in clock.span(.update) { update.run(step, in: range) } }
      }
      let samples = batches.reduce(0) { $0 + $1.count }
      var loss = 0.0
      (firstSample, batchSize) = (0, 0)
      let rounds = try classifier.begin(step: index, sampleCounts: batches.map(\.count))
      let padded = Array(repeating: nil, count: rounds - batches.count) + batches
      for (round, batch) in padded.enumerated() {
        let isLast = round + 1 == rounds
        loss += try run(
          batch, samples: isLast ? samples : nil, of: count, rule: rule(step))
      }
      try span(.communicationWait) { try reducer.finish() }
      try span(.update) { try updateAll(step) }
      try span(.renormalize) { try classifier.renormalize(to: nil) }
      return loss
    } catch {
      reducer.abandon()
      throw error
    }
  }

  /// Forward and backward of a micro-batch. Gradients accumulate; in the last micro-batch they are sent as they are finished,
  /// while the rest is computed.
  ///
  /// A rank without samples (nil) takes part in every collective, in the same order.
  /// - Parameter samples: of this rank in the whole step, given with the last micro-batch; else nil.
  private func run(_ batch: MicroBatch?, samples: Int?, of count: Int, rule: UpdateRule) throws -> Double {
    let isLast = samples != nil
    guard let batch, batch.count > 0 else {
      if let samples { try average(samples: samples, of: count) }
      let nothing = normalize.embeddings.baseAddress!
      let loss = try classifier.forward(nothing, labels: .init(start: nil, count: 0), count: count)
      try classifier.backward(into: trainsNetwork ? nothing : nil, isLast: isLast, rule: rule)
      if isLast { try teaching?.sum(by: reducer) }
      if isLast && trainsNetwork {
        for layer in network.layers.reversed() where !layer.parameters.isEmpty { try reducer.add(layer) }
      }
      return loss
    }
    firstSample += batchSize
    batchSize = batch.count
    let pass = pass(batch: batch.count)
    pass.observer = trace.flatMap { $0.isOn ? $0.observer(of: pass) : nil }
    try span(.forward) {
      _ = pass.input.buffer.update(fromContentsOf: batch.images)
      network.random.keys = batch.keys
      pass.forward()
      try normalize.forward(pass.output.elements, batch: batch.count)
    }
    if let samples { try average(samples: samples, of: count) }
    var loss = try span(.classifierForward) {
      try classifier.forward(normalize.embeddings.baseAddress!, labels: batch.labels, count: count)
    }
    if let teaching {
      loss += try span(.classifierForward) { try teaching.forward(pass.output.elements, batch, of: count) }
    }
    let gradient = trainsNetwork ? pass.outputGradient.elements : nil
    try span(.classifierBackward) {
      try classifier.backward(into: gradient, isLast: isLast, rule: rule)
    }
    if isLast { try teaching?.sum(by: reducer) }
    guard let gradient else { return loss }
    try span(.backward) {
      normalize.backward(gradient, into: gradient)
      teaching?.addGradient(to: gradient)
      try pass.backward(
        between: { if isLast { try reducer.poll() } }, { layer in if isLast { try reducer.add(layer) } })
    }
    return loss
  }

  private func span<Result>(_ part: TraceRecorder.Phase, _ body: () throws -> Result) rethrows -> Result {
    try clock.span(part) { try trace.span(part, body) }
  }

  /// The pass of the current step, or the last one, for so many samples.
  package func pass(batch: Int) -> Pass {
    trainsNetwork ? network.pass(batch: batch, .training) : network.fixedPass(batch: batch)
  }

  /// Averages the running statistics over the samples of all ranks; a rank without samples adds nothing. Frozen ones stay.
  /// The forward pass has changed them, so they travel before the gradients.
  private func average(samples: Int, of count: Int) throws {
    guard messages.sendsStatistics, trainsNetwork else { return }
    let statistics = UnsafeMutableBufferPointer(
      rebasing: network.statistics.values[0..<messages.count(.statistics)])
    Elementwise.multiply(statistics, by: Float(samples) / Float(count))
    try reducer.start(statistics, .statistics)
  }

  private func updateAll(_ step: UpdateStep) throws {
    var step = step
    if let clipping {
      let norm = clipping.norm(squaresElsewhere: try classifier.squaredGradientNorm())
      guard norm.isFinite else { throw NonFinite.gradientNorm(norm) }
      step.gradientFactor = clipping.factor(forNorm: norm)
    }
    classifier.update(with: rule(step))
    teaching?.update(step)
    guard trainsNetwork else { return }
    step = networkStep(step)
    if !updatesOnArrival { update.run(step) }
    guard !update.shares.isEmpty else { return }
    update.orthogonalize()
    if communicator.size > 1 {
      let gradients = UnsafeMutableBufferPointer(
        rebasing: network.parameters.gradients[0..<messages.count(.directions)])
      let own = gradients[update.shares[communicator.rank]]
      try communicator.allGather(
        UnsafeBufferPointer(rebasing: own), into: gradients, counts: update.shares.map(\.count))
    }
    update.finish(step)
  }

  /// Of the network, whose optimizer begins with the first step that trains it.
  private func networkStep(_ step: UpdateStep) -> UpdateStep {
    var own = step
    own.index = max(step.index - settings.headSteps, 0)
    return own
  }

  /// Whether a bucket of the network is updated as soon as it is summed: clipping needs the whole gradient's norm first.
  private var updatesOnArrival: Bool { communicator.size > 1 && clipping == nil }

  private func rule(_ step: UpdateStep) -> UpdateRule {
    settings.optimizer.rule(step, weightDecay: Float(settings.classWeightDecay))
  }
}
