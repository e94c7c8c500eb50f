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

  func complete(_ threshold: VerificationThreshold?) throws -> Outcome {
    try checkpoints.finish()
    tellBadImages()
    // The model first: no error in what only shows the run may lose it.
    if isRoot {
      let classWeight = ModelFile.StreamedClassWeight(
        count: step.classWeight.classCount, width: step.classWeight.width, stream: step.classifier.streamRows)
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
}
