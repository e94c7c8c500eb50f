import Distributed
import Files
import Inference
import MPI
import NeuralNetwork
import Weights

extension Trainer {
  func save(after index: Int, best: CheckpointState.Validation?) throws {
    step.classWeight.materialize()
    if let broken = NonFinite.find(
      in: step.network, classWeight: step.classWeight.parameter, companions: step.companions, pass: nil)
    {
      throw TrainingError.badValue(
        step: index, epoch: index / data.order.stepsPerEpoch, rank: communicator.rank,
        problem: "The update left a value that is not finite:", cause: "\(broken).")
    }
    let (epoch, stepInEpoch) = data.order.position(ofStep: index + 1)
    let state = CheckpointState(
      step: index + 1, epoch: epoch, stepInEpoch: stepInEpoch, totalSteps: totalSteps, seed: options.seed,
      globalBatchSize: data.order.globalBatchSize, rankCount: communicator.size, threadsPerRank: options.threads,
      libraries: LibraryVersion.loaded, classScale: step.classWeight.scale,
      rowsAwaitProjection: step.classWeight.isSampled, dataFingerprint: data.fingerprint,
      classNames: data.training.classNames, teacherDigest: teacher?.digest, best: best,
      configuration: try JSONValue(encoding: options))
    try checkpoints.save(state, description(after: index + 1))
  }

  private func description(after step: Int) -> ModelDescription {
    ModelDescription(
      network: options.network, embeddingWidth: options.embedding, inputSide: options.inputSize,
      classNames: data.training.classNames, step: step)
  }

  func stop(after index: Int) throws -> Outcome {
    try checkpoints.finish()
    tellBadImages()
    try files?.finish("Training was stopped after step \(index + 1) of \(totalSteps), and can go on.")
    // Job scripts restart a run by its exit code, which a failed trace must not change.
    do { try writeTrace() } catch let error as TrainingError { progress.say("warning   \(error)") }
    if isRoot {
      progress.say("stopped   after step \(index + 1) of \(totalSteps); go on with: train --resume \(options.output)")
    }
    return .stopped(exitCode: StopRequest.exitCode)
  }

  /// Ends a run whose validations have got no better for long enough.
  func completeEarly(
    after index: Int, _ best: CheckpointState.Validation?, _ threshold: VerificationThreshold?
  ) throws -> Outcome {
    if isRoot, let best, let patience = options.patience {
      progress.say(
        "ended     after step \(index + 1) of \(totalSteps): \(patience.counted("validation")) in a row brought nothing better "
          + "than step \(best.step), which is \(folder.best)")
    }
    return try complete(after: index + 1, threshold)
  }

  /// - Parameter step: how many steps the weights were trained.
  func complete(after step: Int, _ threshold: VerificationThreshold?) throws -> Outcome {
    try checkpoints.finish()
    tellBadImages()
    // The model first: no error in what only shows the run may lose it.
    try writeModel(to: folder.model, after: step, threshold)
    if isRoot { progress.say("model     \(folder.model)") }
    try files?.finish("Training is complete.")
    try writeTrace()
    try communicator.barrier()
    return .complete
  }

  /// Writes the weights as they are, and the threshold that goes with them. Every rank calls it.
  func writeModel(to path: String, after step: Int, _ threshold: VerificationThreshold?) throws {
    self.step.classWeight.materialize()
    guard isRoot else { return try self.step.classifier.streamRows { _ in } }
    let classWeight = ModelFile.StreamedClassWeight(
      count: self.step.classWeight.classCount, width: self.step.classWeight.width,
      stream: self.step.classifier.streamRows)
    try World.during("writing the model") {
      try ModelFile.write(self.step.network, classWeight: classWeight, description(after: step), to: path)
    }
    try threshold?.write(beside: path)
  }

  private func tellBadImages() {
    guard isRoot, badImages.count > 0 else { return }
    progress.say(
      "skipped   \(badImages.count.counted("image")) in all; --max-bad-images allows \(badImages.limit.grouped)")
  }

  private func writeTrace() throws {
    if let text = try trace?.write(), isRoot { progress.say("trace     " + text) }
  }
}
