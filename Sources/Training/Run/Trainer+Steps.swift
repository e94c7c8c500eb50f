import Datasets
import Distributed
import Files
import Inference
import MPI
import NeuralNetwork
import Weights

extension Trainer {
  /// The steps of a run, and what is due between them: judging, checks of the replicas, checkpoints.
  func train(_ onStep: (MetricsFile.Line) -> Void) throws -> Outcome {
    try prepareWeights()
    try report()
    StopRequest.listen()
    var best = validations?.best(of: resumption?.state)
    var threshold: VerificationThreshold?
    if calendar.isOutOfPatience(after: firstStep - 1, best: best) {
      return try completeEarly(after: firstStep - 1, best, threshold)
    }
    // An accepted change may have made the run shorter than what is trained already.
    let left = max(totalSteps - firstStep, 0)
    let end = firstStep + min(left, options.stopAfter?.steps(perEpoch: data.order.stepsPerEpoch) ?? left)
    loader.start(atStep: firstStep, endStep: end)
    defer { loader.stop() }
    if end == firstStep && end < totalSteps { try save(after: end - 1, best: best) }
    for index in firstStep..<end {
      var (line, wish) = try trainStep(index)
      var isOutOfPatience = false
      if let validations, calendar.isValidationDue(after: index) {
        let results = try recorder.span(.validation) { try validations.run(communicator) }
        line.validations = results.lines
        threshold = results.threshold
        if isRoot { results.descriptions.forEach { progress.say("validated " + $0) } }
        for warning in try overlap.news() where isRoot { progress.say(warning) }
        if results.accuracy > best?.accuracy ?? 0 {
          best = .init(step: index + 1, accuracy: results.accuracy, set: results.lines[0].set)
          try writeModel(to: folder.best, after: index + 1, results.threshold)
          // The best checkpoint is kept, so there must be one.
          wish = max(wish, .checkpoint)
        }
        isOutOfPatience = calendar.isOutOfPatience(after: index, best: best)
        // Judging may take all the time that a batch system leaves after its signal.
        if try communicator.allReduce(StopRequest.isPending ? 1.0 : 0) > 0 { wish = .stop }
      }
      let isLast = index + 1 == end || wish == .stop || isOutOfPatience
      try files?.write(line)
      onStep(line)
      if isRoot { progress.show(line, isLast: isLast) }
      if calendar.isReplicaCheckDue(after: index) {
        step.classWeight.materialize()
        try replicas.run(communicator, step: index)
      }
      if isLast || wish == .checkpoint || calendar.isCheckpointDue(after: index) {
        try recorder.span(.checkpoint) { try save(after: index, best: best) }
      }
      if isOutOfPatience && index + 1 < totalSteps { return try completeEarly(after: index, best, threshold) }
      if wish == .stop && index + 1 < totalSteps { return try stop(after: index) }
    }
    return end < totalSteps ? try stop(after: end - 1) : try complete(after: max(totalSteps, firstStep), threshold)
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
    let taught = try teacher.map { teacher in
      try recorder.span(.teacher) { (embeddings: try teacher.embeddings(of: batch), width: teacher.width) }
    }
    do {
      let microBatches = batch.microBatches(
        parts: options.gradientAccumulation, dropoutSeed: options.dropout > 0 ? options.seed : nil, teacher: taught)
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
    mine.teacherCosine = step.teacherCosine
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
      scale: step.settings.logitScale.effective(rowNorm: step.classWeight.scale),
      classWeightNorm: step.classWeight.scale, learningRate: rate, samples: count, seconds: seconds,
      imagesPerSecond: Double(count) / seconds, dataSeconds: (loader.waited - waited).seconds,
      communicationShare: Double(LibraryTime.nanoseconds - communicated) / 1e9 / seconds,
      badImages: badImages.count, teacherCosine: teacher == nil ? nil : all.teacherCosine)
    recorder?.span(.step, from: traced)
    return (line, all.stops > 0 ? .stop : all.savesCheckpoint > 0 ? .checkpoint : .nothing)
  }

  /// Logs the images that the ranks trained on, with replacements of unreadable ones. Every rank calls it.
  private func logSamples(_ batch: Batch) throws {
    let mine = batch.samples.prefix(batch.count).map { Int32($0) }
    let counts = try communicator.allGather(mine.count)
    let all = try communicator.allGather(mine, counts: counts)
    try files?.write(
      SampleLine(
        step: batch.step, epoch: batch.epoch, images: all.map { data.training.identifier(of: Int($0)) }, counts: counts)
    )
  }
}
