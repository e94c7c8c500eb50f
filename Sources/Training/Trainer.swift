import Datasets
import Distributed
import Files
import Foundation
import Inference
package import MPI
import NeuralNetwork
import Weights

/// A training run on all ranks, from data to model file.
///
/// ```swift
/// let trainer = try Trainer(options, communicator)
/// try trainer.run()
/// ```
/// Every rank makes one and runs it; rank 0 writes the files and speaks.
package final class Trainer {
  private let options: TrainingOptions
  private let communicator: Communicator
  private let data: TrainingData
  private let step: TrainingStep
  private let loader: BatchLoader
  private let calendar: RunCalendar
  private let badImages: BadImageLedger
  private let replicas: ReplicaCheck
  private let folder: RunFolder
  private let files: RunFiles?
  private let checkpoints: RunCheckpoints
  private let validation: Validation?
  private let resumption: Resumption?
  private let warmStart: WarmStart?
  private let firstStep: Int
  private let progress: ProgressReporter
  private let trace: RunTrace?
  private let memory: MemoryReport
  private var totalSteps: Int { calendar.totalSteps }
  private var isRoot: Bool { communicator.rank == 0 }
  private var recorder: TraceRecorder? { trace?.recorder }

  /// - Parameters:
  ///   - resumption: makes it go on where the run stood; its options count then.
  ///   - observers: who hears of the run, on rank 0.
  ///   - startsOver: begins anew in the folder of a run that came to no checkpoint.
  package init(
    _ given: TrainingOptions, resuming resumption: Resumption? = nil, startsOver: Bool = false,
    isQuiet: Bool = false, observers: RunObservers = { _, _ in [] },
    _ communicator: Communicator
  ) throws {
    var options = resumption?.options ?? given
    // So that the run's files say which it was.
    options.margin = options.margin ?? options.marginKind.usual
    self.options = options
    self.resumption = resumption
    firstStep = resumption?.state.step ?? 0
    self.communicator = communicator
    try RankAgreement.check(options.named(), communicator)
    data = try TrainingData(options, communicator)
    folder = RunFolder(options.output)
    try resumption?.check(data)
    if communicator.rank == 0 && resumption == nil { try folder.refuseRun(mayBegin: startsOver) }
    try communicator.barrier()

    let order = data.order
    Parallel.setThreads(options.threads)
    let capacity =
      (0...order.maximumShard).flatMap {
        MicroBatch.division(of: $0, parts: options.gradientAccumulation).map(\.count)
      }.max() ?? 1
    memory = MemoryReport(options, capacity: capacity, ranks: communicator.size, data)
    try memory.check(
      of: "Training like this", remedy: "--batch-size, --input-size or --embedding, or take fewer ranks a host",
      communicator)
    let network = options.network.makeNetwork(
      embeddingWidth: options.embedding, inputSide: options.inputSize, dropout: options.dropout,
      recomputes: options.recompute)
    if options.batchSize == 1 && !network.statistics.parameters.isEmpty {
      throw TrainingError.singleSampleBatch(network: network.name)
    }
    if options.sampleRate != nil && !options.forceSampleRate {
      try ClassSampling.check(classCount: data.training.classNames.count)
    }
    let kept = ModelDescription(
      network: options.network, embeddingWidth: options.embedding, inputSide: options.inputSize,
      classNames: data.training.classNames, step: .max)
    try ModelFile.checkNames(network, kept, path: folder.model)
    step = try TrainingStep(
      network, classCount: data.training.classNames.count, capacity: capacity,
      accumulates: options.gradientAccumulation > 1, settings: options.stepSettings, communicator: communicator)
    loader = BatchLoader(
      data.training, order: order, rank: communicator.rank, side: options.inputSize, augmentation: options.augment,
      workers: options.workers)
    calendar = RunCalendar(options, stepsPerEpoch: order.stepsPerEpoch)
    trace = try RunTrace(options, step, firstStep: resumption?.state.step ?? 0, communicator)
    badImages = BadImageLedger(
      limit: BadImage.limit(options.maxBadImages, of: data.training.count), known: data.absent,
      communicator: communicator)
    replicas = ReplicaCheck(step.replicas)
    validation = try Validation(options, heldOut: data.heldOut, network: network)
    progress = ProgressReporter(totalSteps: calendar.totalSteps, epochs: calendar.epochs, isQuiet: isQuiet)
    warmStart = try resumption == nil ? WarmStart(options, step, data.training) : nil
    // Not before everything else was found to be right: a corrected command must not meet the remains of this one.
    if communicator.rank == 0 && resumption == nil { try folder.create() }
    if communicator.rank == 0 { try trace?.tryOut() }
    if options.classifier == .sharded { try SharedFolder.check(folder.path, communicator) }
    files =
      communicator.rank == 0
      ? try RunFiles(folder, options, resumingAt: resumption?.state.step, observers) : nil
    checkpoints = try RunCheckpoints(folder, step, keep: options.keep)
  }

  /// Trains to the end, or until a signal or `stopAfter` asks to stop. Every rank calls `onStep` after each step.
  package func run(_ onStep: (MetricsFile.Line) -> Void = { _ in }) throws -> Outcome {
    do {
      return try train(onStep)
    } catch {
      files?.abandon("Training has failed: \(error)")
      throw error
    }
  }

  private func train(_ onStep: (MetricsFile.Line) -> Void) throws -> Outcome {
    try prepareWeights()
    try report()
    StopRequest.listen()
    var best = resumption?.state.best
    var threshold: VerificationThreshold?
    // An accepted change may have made the run shorter than it is.
    let left = max(totalSteps - firstStep, 0)
    let end = firstStep + min(left, options.stopAfter?.steps(perEpoch: data.order.stepsPerEpoch) ?? left)
    loader.start(atStep: firstStep, endStep: end)
    defer { loader.stop() }
    if end == firstStep && end < totalSteps { try save(after: end - 1, best: best) }
    for index in firstStep..<end {
      var (line, wish) = try trainStep(index)
      if let validation, calendar.isValidationDue(after: index) {
        let result = try recorder.span(.validation) { try validation.run(communicator) }
        (line.accuracy, line.areaUnderCurve) = (result.accuracy, result.areaUnderCurve)
        threshold = index + 1 == totalSteps ? result.threshold : nil
        if result.accuracy > best?.accuracy ?? 0 {
          best = .init(step: index + 1, accuracy: result.accuracy)
          // The best checkpoint is kept, so there must be one.
          wish = max(wish, .checkpoint)
        }
        if isRoot { progress.say("validated " + result.description) }
        // A validation may take as long as the time that a batch system leaves.
        if try communicator.allReduce(StopRequest.isPending ? 1.0 : 0) > 0 { wish = .stop }
      }
      let isLast = index + 1 == end || wish == .stop
      try files?.write(line)
      onStep(line)
      if isRoot { progress.show(line, isLast: isLast) }
      if calendar.isReplicaCheckDue(after: index) {
        step.head.materialize()
        try replicas.run(communicator, step: index)
      }
      if isLast || wish == .checkpoint || calendar.isCheckpointDue(after: index) {
        try recorder.span(.checkpoint) { try save(after: index, best: best) }
      }
      if wish == .stop && index + 1 < totalSteps { return try stop(after: index) }
    }
    return end < totalSteps ? try stop(after: end - 1) : try complete(threshold)
  }

  /// How a run ended.
  package enum Outcome: Equatable, Sendable {
    case complete
    /// Saved, to be resumed; the process shall end with this exit code.
    case stopped(exitCode: Int32)
  }

  private func prepareWeights() throws {
    if let resumption {
      try step.restore(resumption.checkpoint)
      try step.resume(scale: resumption.state.classScale.value)
      if resumption.state.rowsAwaitProjection { try step.head.projectRestored() }
    } else if let warmStart {
      for line in try warmStart.finish() where isRoot { progress.say(line) }
    } else {
      step.network.initialize(seed: options.seed)
      step.head.initialize(seed: options.seed)
      try step.synchronize(classWeightNorm: options.classWeightNorm ?? 1)
    }
  }

  private func stop(after index: Int) throws -> Outcome {
    try checkpoints.finish()
    tellBadImages()
    try files?.finish("Training was stopped after step \(index + 1) of \(totalSteps), and can go on.")
    // Who starts the run again goes by the exit code, which a trace shall not change.
    do { try writeTrace() } catch let error as TrainingError { progress.say("warning   \(error)") }
    if isRoot {
      progress.say("stopped   after step \(index + 1) of \(totalSteps); go on with: train --resume \(options.output)")
    }
    return .stopped(exitCode: StopRequest.exitCode)
  }

  private func complete(_ threshold: VerificationThreshold?) throws -> Outcome {
    try checkpoints.finish()
    tellBadImages()
    // The model first: nothing that only shows how the run went may cost it.
    if isRoot {
      let classWeight = ModelFile.StreamedClassWeight(
        count: step.head.classCount, width: step.head.width, stream: step.classifier.streamRows)
      try World.during("writing the model") {
        try ModelFile.write(
          step.network, classWeight: classWeight, description(after: max(totalSteps, firstStep)), to: folder.model)
      }
      try threshold?.write(beside: folder.model)
      progress.say("model     \(folder.model)")
    } else {
      try step.classifier.streamRows { _ in }
    }
    try files?.finish("Training is complete.")
    try writeTrace()
    try communicator.barrier()
    return .complete
  }

  private func tellBadImages() {
    guard isRoot, badImages.count > 0 else { return }
    progress.say(
      "skipped   \(badImages.count.counted("image")) in all; --max-bad-images allows \(badImages.limit.grouped)")
  }

  private func writeTrace() throws {
    if let text = try trace?.write(), isRoot { progress.say("trace     " + text) }
  }

  /// What ranks ask each other for after a step.
  private enum Wish: Comparable { case nothing, checkpoint, stop }

  private func trainStep(_ index: Int) throws -> (MetricsFile.Line, Wish) {
    World.begin(step: index)
    try trace?.begin(step: index)
    let (start, traced) = (ContinuousClock.now, recorder?.now ?? 0)
    let (waited, communicated) = (loader.waited, LibraryTime.nanoseconds)
    let batch = try recorder.span(.images) { try loader.next() }
    let count = data.order.globalCount(step: index)
    let rate = calendar.learningRate(step: index)
    let part: Double
    do {
      let microBatches = batch.microBatches(
        parts: options.gradientAccumulation, dropoutSeed: options.dropout > 0 ? options.seed : nil)
      part = try step.run(microBatches, index: index, count: count, learningRate: rate)
    } catch let error as HeadError {
      throw TrainingError.of(error, in: step, batch, of: data.training)
    } catch let error as NonFinite {
      throw TrainingError.of(error, in: step, batch)
    }
    try files?.observe(
      step, batch, takesImages: index == firstStep || calendar.isValidationDue(after: index),
      takesHistograms: calendar.isHistogramDue(at: index))
    var mine = StepAgreement()
    mine.loss = part
    mine.hasNewBadImages = badImages.hasNews(loader.badImages) ? 1 : 0
    mine.stops = StopRequest.isPending ? 1 : 0
    if case .minutes(let minutes) = options.checkpointEvery, isRoot, checkpoints.isDue(minutes: minutes) {
      mine.savesCheckpoint = 1
    }
    mine.isWriting = checkpoints.isWritingPart ? 1 : 0
    let all = try recorder.span(.agreement) { try mine.joined(communicator) }
    try checkpoints.completeIfWritten(all.isWriting == 0)
    if all.hasNewBadImages > 0 {
      for image in try badImages.join(loader.badImages) where isRoot {
        progress.say("skipped   \(image.identifier): \(image.reason)")
      }
    }
    if options.logSamples { try logSamples(batch) }
    let seconds = (ContinuousClock.now - start).seconds
    let line = MetricsFile.Line(
      step: index, epoch: batch.epoch, loss: all.loss,
      scale: step.settings.logitScale.effective(rowNorm: step.head.scale),
      classWeightNorm: step.head.scale, learningRate: rate, samples: count, seconds: seconds,
      imagesPerSecond: Double(count) / seconds, dataSeconds: (loader.waited - waited).seconds,
      communicationShare: Double(LibraryTime.nanoseconds - communicated) / 1e9 / seconds,
      badImages: badImages.count)
    recorder?.span(.step, from: traced)
    return (line, all.stops > 0 ? .stop : all.savesCheckpoint > 0 ? .checkpoint : .nothing)
  }

  /// Writes down what the ranks trained on, replacements of unreadable images included. Every rank calls it.
  private func logSamples(_ batch: Batch) throws {
    let mine = batch.samples.prefix(batch.count).map { Int32($0) }
    let counts = try communicator.allGather(mine.count)
    let all = try communicator.allGather(mine, counts: counts)
    try files?.write(
      SampleLine(
        step: batch.step, epoch: batch.epoch, images: all.map { data.training.identifier(of: Int($0)) }, counts: counts)
    )
  }

  private func save(after index: Int, best: CheckpointState.Validation?) throws {
    step.head.materialize()
    if let broken = NonFinite.find(in: step.network, classWeight: step.head.classWeight, pass: nil) {
      throw TrainingError.badValue(
        step: index, epoch: index / data.order.stepsPerEpoch, rank: communicator.rank,
        problem: "The update left a value that is not finite:", cause: "\(broken).")
    }
    let (epoch, stepInEpoch) = data.order.position(ofStep: index + 1)
    let state = CheckpointState(
      step: index + 1, epoch: epoch, stepInEpoch: stepInEpoch, totalSteps: totalSteps, seed: options.seed,
      globalBatchSize: data.order.globalBatchSize, rankCount: communicator.size, threadsPerRank: options.threads,
      classScale: step.head.scale, rowsAwaitProjection: step.head.isSampled, dataFingerprint: data.fingerprint,
      classNames: data.training.classNames, best: best, configuration: try JSONValue(encoding: options))
    try checkpoints.save(state, description(after: index + 1))
  }

  private func description(after step: Int) -> ModelDescription {
    ModelDescription(
      network: options.network, embeddingWidth: options.embedding, inputSide: options.inputSize,
      classNames: data.training.classNames, step: step)
  }

  private func start(on hosts: [String]) -> RunStart {
    RunStart(
      firstStep: firstStep, totalSteps: totalSteps, stepsPerEpoch: data.order.stepsPerEpoch, ranks: hosts.count,
      hosts: Dictionary(hosts.map { ($0, 1) }, uniquingKeysWith: +), threadsPerRank: options.threads,
      readersPerRank: options.workers, globalBatchSize: data.order.globalBatchSize, images: data.training.count,
      people: data.training.classNames.count,
      parameters: step.network.parameters.parameters.reduce(0) { $0 + $1.count })
  }

  private func report() throws {
    let hosts = try communicator.allGather(bytes: Array(Communicator.processorName().utf8))
    guard isRoot else { return }
    try files?.add(start(on: hosts.map { String(decoding: $0, as: UTF8.self) }))
    let report = StartReport(
      options: options, step: step, data: data, placements: hosts.map { String(decoding: $0, as: UTF8.self) },
      totalSteps: totalSteps, memory: memory)
    let notes = Set(data.notes + (validation?.notes ?? []) + (files?.notes ?? [])).sorted().map { "note      \($0)" }
    let warnings = options.validation == nil ? [] : validation?.warnings(trainingOn: data.training) ?? []
    for line in report.lines() + warnings + notes + (resumption?.notes ?? []) { progress.say(line) }
    for line in files?.announcements ?? [] { progress.say(line) }
    if let resumption {
      progress.say("resumed   after step \(firstStep) of \(totalSteps)")
      let notes = resumption.roundings(communicator, classes: step.head.classCount)
      for note in notes { progress.say("note      \(note)") }
    }
  }
}
