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
  let options: TrainingOptions
  let communicator: Communicator
  let data: TrainingData
  let step: TrainingStep
  let loader: BatchLoader
  let calendar: RunCalendar
  let badImages: BadImageLedger
  let replicas: ReplicaCheck
  let folder: RunFolder
  let files: RunFiles?
  let checkpoints: RunCheckpoints
  let validations: Validations?
  let overlap: ValidationOverlap
  let resumption: Resumption?
  let warmStart: WarmStart?
  let teacher: (any Teacher)?
  let adaptation: Adaptation
  let firstStep: Int
  let progress: ProgressReporter
  let trace: RunTrace?
  let memory: MemoryReport
  var totalSteps: Int { calendar.totalSteps }
  var isRoot: Bool { communicator.rank == 0 }
  var recorder: TraceRecorder? { trace?.recorder }

  /// - Parameters:
  ///   - resumption: where a run goes on; its options replace `given`.
  ///   - observers: who hears of the run, on rank 0.
  ///   - startsOver: begins anew in the folder of a run that ended before its first checkpoint.
  package init(
    _ given: TrainingOptions, resuming resumption: Resumption? = nil, startsOver: Bool = false,
    isQuiet: Bool = false, observers: RunObservers = { _, _ in [] },
    _ communicator: Communicator
  ) throws {
    let chosen = (resumption?.options ?? given).settled
    self.resumption = resumption
    firstStep = resumption?.state.step ?? 0
    self.communicator = communicator
    try RankAgreement.check(chosen.named(), communicator)
    data = try TrainingData(chosen, communicator)
    let options = chosen.resolved(
      classCount: data.training.classNames.count, globalBatchSize: data.order.globalBatchSize)
    self.options = options
    adaptation = try Adaptation(options)
    calendar = RunCalendar(options, stepsPerEpoch: data.order.stepsPerEpoch)
    if calendar.headSteps > calendar.totalSteps {
      throw TrainingError.longHead(steps: calendar.headSteps, of: calendar.totalSteps)
    }
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
    teacher = try options.openTeacher(for: data, communicator)
    try resumption?.check(teacher)
    memory = MemoryReport(
      options, frozen: adaptation.frozen, capacity: capacity, ranks: communicator.size, data, teacher: teacher)
    try memory.check(
      of: "Training like this", remedy: "--batch-size, --input-size or --embedding, or take fewer ranks a host",
      communicator)
    let network = options.network.makeNetwork(
      embeddingWidth: options.embedding, inputSide: options.inputSize, dropout: options.dropout,
      recomputes: options.recompute, frozen: adaptation.frozen)
    if options.batchSize == 1 && network.movingStatisticsCount > 0 {
      throw TrainingError.singleSampleBatch(network: network.name)
    }
    if options.sampleRate != nil && !options.forceSampleRate {
      try ClassSampling.check(classCount: data.training.classNames.count)
    }
    let kept = ModelDescription(
      network: options.network, embeddingWidth: options.embedding, inputSide: options.inputSize,
      classNames: data.training.classNames, step: .max)
    try ModelFile.checkNames(network, kept, path: folder.model)
    var settings = options.stepSettings
    (settings.rateFactors, settings.headSteps) = (adaptation.rateFactors, calendar.headSteps)
    step = try TrainingStep(
      network, classCount: data.training.classNames.count, capacity: capacity,
      accumulates: options.gradientAccumulation > 1, teacherWidth: teacher?.width, settings: settings,
      communicator: communicator)
    validations = try Validations(options, heldOut: data.heldOut, network: network)
    overlap = try ValidationOverlap(validations?.sets ?? [], trainingOn: data.training, communicator)
    loader = BatchLoader(
      data.training, order: order, rank: communicator.rank, side: options.inputSize, augmentation: options.augment,
      strength: Float(options.augmentStrength ?? 1), workers: options.workers, teacherSide: teacher?.imageSide,
      known: overlap.images)
    trace = try RunTrace(options, step, firstStep: resumption?.state.step ?? 0, communicator)
    badImages = BadImageLedger(
      limit: BadImage.limit(options.maxBadImages, of: data.training.count), known: data.absent,
      communicator: communicator)
    replicas = ReplicaCheck(step.replicas)
    progress = ProgressReporter(totalSteps: calendar.totalSteps, epochs: calendar.epochs, isQuiet: isQuiet)
    warmStart = try resumption == nil ? WarmStart(options, step, data.training) : nil
    // After all checks: a corrected command must not find remains of this one.
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

  /// How a run ended.
  package enum Outcome: Equatable, Sendable {
    case complete
    /// Saved, to be resumed; the process shall end with this exit code.
    case stopped(exitCode: Int32)
  }

  func prepareWeights() throws {
    if let resumption {
      try step.restore(resumption.checkpoint)
      let scale = resumption.state.classScale.value
      try step.resume(scale: scale)
      // Rows that a sampled run has left with norms of their own.
      if resumption.state.rowsAwaitProjection { try step.classWeight.renormalize(to: scale) }
    } else if let warmStart {
      for line in try warmStart.finish() where isRoot { progress.say(line) }
    } else {
      step.initialize(seed: options.seed)
      try step.synchronize(classWeightNorm: options.classWeightNorm ?? 1)
    }
  }

  private func start(on hosts: [String]) -> RunStart {
    RunStart(
      firstStep: firstStep, totalSteps: totalSteps, stepsPerEpoch: data.order.stepsPerEpoch, ranks: hosts.count,
      hosts: Dictionary(hosts.map { ($0, 1) }, uniquingKeysWith: +), threadsPerRank: options.threads,
      readersPerRank: options.workers, globalBatchSize: data.order.globalBatchSize, images: data.training.count,
      people: data.training.classNames.count,
      parameters: step.network.parameters.parameters.reduce(0) { $0 + $1.count })
  }

  func report() throws {
    let hosts = try communicator.allGather(bytes: Array(Communicator.processorName().utf8))
    guard isRoot else { return }
    try files?.add(start(on: hosts.map { String(decoding: $0, as: UTF8.self) }))
    let report = StartReport(
      options: options, step: step, data: data, placements: hosts.map { String(decoding: $0, as: UTF8.self) },
      totalSteps: totalSteps, headSteps: calendar.headSteps, memory: memory, teacher: teacher)
    let sources = data.notes + (teacher?.notes ?? []) + (validations?.notes ?? []) + (files?.notes ?? [])
    let notes = Set(sources).sorted().map { "note      \($0)" }
    let warnings = overlap.warnings
    for line in report.lines() + warnings + notes + (resumption?.notes ?? []) { progress.say(line) }
    for line in files?.announcements ?? [] { progress.say(line) }
    if let resumption {
      progress.say("resumed   after step \(firstStep) of \(totalSteps)")
      let notes = resumption.roundings(communicator, classes: step.classWeight.classCount)
      for note in notes { progress.say("note      \(note)") }
    }
  }
}
