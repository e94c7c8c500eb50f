package import Distributed
import NeuralNetwork

/// What a run takes where its options leave it open.
extension TrainingOptions {
  /// With what the options decide themselves of those that were left open: ranks compare these before they look at the data.
  package var settled: TrainingOptions {
    let optimizer = optimizer ?? .usual
    var options = with(usual: optimizer)
    if labels { options.margin = margin ?? marginKind.usual }
    options.weightDecay = weightDecay ?? optimizer.usualWeightDecay
    options.warmup = warmup ?? length.usualWarmup
    options.augmentStrength = augmentStrength ?? (augment == .standard ? 0.5 : nil)
    return options
  }

  /// With a value in the place of each option that was left open, so that a run's files say which it was.
  ///
  /// - Parameters:
  ///   - classCount: people.
  ///   - globalBatchSize: images of all ranks in a step.
  package func resolved(classCount: Int, globalBatchSize: Int) -> TrainingOptions {
    var options = settled
    if labels && logitScale == nil && logitMultiplier == nil {
      options.logitScale = LogitScale.usual(classCount: classCount)
    }
    // The margin loss pulls by up to the scale's size.
    if isTaught { options.teacherWeight = teacherWeight ?? (labels ? options.logitScale ?? 32 : 1) }
    options.learningRate = learningRate ?? options.optimizer?.usualLearningRate(globalBatchSize: globalBatchSize)
    return options
  }

  /// What a run's settings must not be together.
  package var conflictOfRun: String? {
    with(usual: .usual).conflict
      ?? (!freeze.isEmpty && weights == nil
        ? "--freeze goes with --weights: random parameters that stay as they are learn nothing." : nil)
  }

  /// With this optimizer unless another is asked for.
  package func with(usual kind: OptimizerKind) -> TrainingOptions {
    var options = self
    options.optimizer = optimizer ?? kind
    return options
  }

  /// With what options that a checkpoint does not name meant when it was written: those that came since then, and those
  /// whose value was left open.
  package var formerly: TrainingOptions {
    var options = with(usual: .sgd)
    options.warmup = warmup ?? .steps(0)
    options.augmentStrength = augmentStrength ?? (augment == .standard ? 1 : nil)
    if labels && logitScale == nil && logitMultiplier == nil { options.logitMultiplier = 32 }
    return options
  }
}

extension StepSettings {
  /// As they are unless asked for, with this optimizer.
  package init(_ kind: OptimizerKind) { self = TrainingOptions.defaults.with(usual: kind).stepSettings }
}

extension OptimizerKind {
  /// Where no option says it.
  package static let usual = OptimizerKind.muon

  /// For a run from nothing. It grows with the square root of the batch, as the gradient's noise falls with it.
  package func usualLearningRate(globalBatchSize: Int) -> Double {
    let growth = (Double(globalBatchSize) / 64).squareRoot()
    return switch self {
    case .sgd: 0.1 * growth
    case .adamw, .muon: 0.002 * min(growth, 2)
    }
  }

  package var usualWeightDecay: Double { self == .sgd ? 5e-4 : 0.05 }
}

extension TrainingLength {
  fileprivate var usualWarmup: TrainingLength {
    switch self {
    case .steps(let count): .steps(count / 10)
    case .epochs(let count): .epochs(min(1, count / 10))
    }
  }
}
