package import Datasets
package import Distributed
package import NeuralNetwork

/// Everything that a run is made of, as the command line gives it: written into the run, and compared among ranks.
package struct TrainingOptions: Codable, Equatable, Sendable {
  /// Folders, record files and lists of images.
  package var data: [String]
  package var output: String
  package var network = "mobilefacenet"
  package var embedding = 512
  package var inputSize = 112
  package var dropout = 0.0

  /// Samples per rank and micro-batch.
  package var batchSize = 32
  package var gradientAccumulation = 1
  /// Whether what batch normalizations made is made again in backward instead of being kept.
  package var recompute = false
  package var length = TrainingLength.epochs(20)
  package var learningRate = 0.1
  package var schedule = ScheduleName.polynomial
  /// Of the step schedule: where the rate falls to a tenth.
  package var milestones: [TrainingLength] = []
  package var warmup = TrainingLength.steps(0)

  package var classifier = ClassifierKind.replicated
  /// Fraction of the other classes that a step of sharded ones knows; nil for all.
  package var sampleRate: Double?
  package var forceSampleRate = false
  package var marginKind = Margin.Kind.cosine
  /// What is subtracted from the cosine; of the kind `angular`, added to the angle.
  package var margin = 0.35
  /// Of the kind `combined`: what the angle is multiplied with, and what is added to it.
  package var marginMultiplier: Double?
  package var marginAngle: Double?
  package var logitMultiplier: Double?
  package var logitScale: Double?
  /// nil: that of the weights that the run starts from, else 1.
  package var classWeightNorm: Double?
  package var momentum = 0.9
  package var nesterov = false
  package var weightDecay = 5e-4
  package var classWeightDecay = 0.0
  package var gradientClipping: Double?

  package var augment = Augmentation.flip
  package var seed: UInt64 = 1
  package var holdoutPeople = 0

  /// A run, checkpoint or weight file whose weights the run starts from.
  package var weights: String?
  /// Whether what that file lacks, or has in another shape, starts as in a run from nothing.
  package var allowMissing = false
  package var newRows = NewRows.mean
  /// People of the same name in several sets are the same person.
  package var joinPeople = false
  package var minImagesPerPerson = 1
  package var maxPerPerson: Int?
  package var sampling = Sampling.uniform
  /// Fraction of the training images that may be unreadable.
  package var maxBadImages = 0.001

  /// Folder of other people's images, or a pair list, to judge by while training.
  package var validation: String?
  /// Root of the images that a pair list names.
  package var validationImages: String?
  package var validateEvery = TrainingLength.epochs(1)
  package var checkpointEvery = CheckpointInterval.minutes(10)
  /// Newest checkpoints that stay, besides the best by validation.
  package var keep = 3
  /// Steps after which this start of the run ends, to be resumed; the schedule stays that of the whole run.
  package var stopAfter: Int?
  package var verifyReplicas: Int?
  /// Whether the images of each step are written down.
  package var logSamples = false

  /// Event files beside the metrics.
  package var tensorboard = true
  /// Steps between histograms in them; 0 for none.
  package var histogramEvery = 100
  /// HOST:PORT of this start's live page.
  package var dashboard: String?

  package var threads = 1
  package var workers = 1
  package var bucketMegabytes = 4
  package var gradientType = GradientType.float32
  /// File for a trace of `traceSteps`, by default of some steps after the start.
  package var trace: String?
  package var traceSteps: TraceSteps?

  package init(data: [String], output: String) {
    self.data = data
    self.output = output
  }

  package var stepSettings: StepSettings {
    var settings = StepSettings()
    settings.classifier = classifier
    settings.sampling = sampleRate.map { ClassSampling(rate: $0, seed: seed) }
    settings.margin = Margin(marginKind, margin, multiplier: marginMultiplier, angle: marginAngle)
    settings.logitScale = logitScale.map { .fixed($0) } ?? .learned(multiplier: logitMultiplier ?? 32)
    settings.optimizer = .sgd(SGD(momentum: Float(momentum), isNesterov: nesterov))
    settings.weightDecay = weightDecay
    settings.classWeightDecay = classWeightDecay
    settings.gradientClipping = gradientClipping
    settings.bucketBytes = bucketMegabytes << 20
    settings.gradientType = gradientType
    return settings
  }

  package func learningRateSchedule(stepsPerEpoch: Int) -> LearningRateSchedule {
    let shape: LearningRateSchedule.Shape =
      switch schedule {
      case .constant: .constant
      case .step: .milestones(milestones.map { $0.steps(perEpoch: stepsPerEpoch) })
      case .polynomial: .polynomial()
      case .cosine: .cosine
      }
    return LearningRateSchedule(
      base: learningRate, shape: shape, warmupSteps: warmup.steps(perEpoch: stepsPerEpoch))
  }
}

/// How the learning rate goes down.
package enum ScheduleName: String, Codable, CaseIterable, Sendable {
  case constant, step, polynomial, cosine
}
