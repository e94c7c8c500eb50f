import NeuralNetwork
import Weights

/// After which steps of a run something is due, and the learning rate of each.
package struct RunCalendar {
  package let totalSteps: Int
  package let stepsPerEpoch: Int
  /// At the run's start, of the class weight alone.
  package let headSteps: Int
  private let schedule: LearningRateSchedule
  private let options: TrainingOptions

  package init(_ options: TrainingOptions, stepsPerEpoch: Int) {
    self.stepsPerEpoch = stepsPerEpoch
    totalSteps = options.length.steps(perEpoch: stepsPerEpoch)
    headSteps = options.headEpochs.map { TrainingLength.epochs($0).steps(perEpoch: stepsPerEpoch) } ?? 0
    schedule = options.learningRateSchedule(stepsPerEpoch: stepsPerEpoch)
    self.options = options
  }

  /// The last one may be incomplete.
  package var epochs: Int { (totalSteps + stepsPerEpoch - 1) / max(stepsPerEpoch, 1) }

  package func learningRate(step: Int) -> Double { schedule.rate(step: step, totalSteps: totalSteps) }

  /// Whether the network is validated after step `index`: at the end it always is.
  package func isValidationDue(after index: Int) -> Bool {
    isDue(options.validateEvery, after: index) || index + 1 == totalSteps
  }

  /// Whether after step `index` so many validations have brought nothing better than `best` that the run shall end.
  func isOutOfPatience(after index: Int, best: CheckpointState.Validation?) -> Bool {
    guard let patience = options.patience, let best else { return false }
    // `best.step` counts steps: it is the number of the one after.
    let since = (best.step..<max(index + 1, best.step)).count { isValidationDue(after: $0) }
    return since >= patience
  }

  /// By steps or epochs; rank 0 counts minutes.
  package func isCheckpointDue(after index: Int) -> Bool {
    guard case .length(let length) = options.checkpointEvery else { return false }
    return isDue(length, after: index)
  }

  package func isReplicaCheckDue(after index: Int) -> Bool {
    options.verifyReplicas.map { isDue($0, after: index) } ?? false
  }

  /// From the first step on.
  package func isHistogramDue(at index: Int) -> Bool { isDue(options.histogramEvery, after: index - 1) }

  private func isDue(_ interval: TrainingLength, after index: Int) -> Bool {
    let steps = interval.steps(perEpoch: stepsPerEpoch)
    return steps > 0 && (index + 1) % steps == 0
  }
}
