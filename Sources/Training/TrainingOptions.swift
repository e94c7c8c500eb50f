public import Datasets
public import Distributed
import Files
public import NeuralNetwork

/// Everything that a run is made of: the options of `cosface train --help`, which says more of each, with their defaults and
/// bounds. Written into the run, and compared among ranks.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
public struct TrainingOptions: Codable, Equatable, Sendable {
  // Data
  /// Folders, record files and lists of images.
  @Setting([], resuming: .free) public var data: [String]
  @Setting(false) public var joinPeople: Bool
  @Setting(1, NumberRange(1...1_000_000_000)) public var minImagesPerPerson: Int
  @Setting(nil, NumberRange(1...1_000_000_000)) public var maxImagesPerPerson: Int?
  @Setting(.uniform) public var sampling: Sampling
  @Setting(.standard) public var augment: Augmentation
  /// Of the standard one. nil: half of it.
  @Setting(nil, NumberRange(above: 0, upTo: 3)) public var augmentStrength: Double?
  @Setting(0, Limits.people) public var holdoutPeople: Int
  @Setting(0.001, Limits.badImages, resuming: .free) public var maxBadImages: Double
  @Setting(1, Limits.threads, resuming: .free) public var workers: Int
  /// Folders of other people's images, record files, .bin files, and pair lists over `validationImages`.
  @Setting([], resuming: .free) public var validation: [String]
  @Setting(nil, resuming: .free) public var validationImages: String?
  @Setting(.epochs(1), resuming: .free) public var validateEvery: TrainingLength
  /// The name of the validation set that chooses the best model. nil: the first.
  @Setting(nil, resuming: .free) public var bestBy: String?
  /// Validations in a row without a better model after which the run ends; nil: it goes to its end.
  @Setting(nil, NumberRange(1...1_000_000), resuming: .free) public var patience: Int?

  // Network and warm start
  @Setting(.mobilefacenet, resuming: .fixed) public var network: NetworkKind
  @Setting(512, Limits.embedding, resuming: .fixed) public var embedding: Int
  @Setting(112, Limits.inputSize, resuming: .fixed) public var inputSize: Int
  @Setting(0, NumberRange(0...0.999)) public var dropout: Double
  /// A run, checkpoint or weight file whose weights the run starts from.
  @Setting(nil, resuming: .fixed) public var weights: String?
  @Setting(false, resuming: .fixed) public var allowMissing: Bool
  @Setting(.mean, resuming: .fixed) public var newRows: NewRows
  /// Patterns of the names of parameters that stay as they are; "norms" are its batch normalizations, "backbone" is all of it.
  @Setting([], resuming: .fixed) public var freeze: [String]
  /// So many epochs, or parts of one, the class weight is trained alone; nil: not at all.
  @Setting(nil, Limits.epochs) public var headEpochs: Double?
  /// Of the network's learning rate to the class weight's.
  @Setting(1, Limits.rateFactor) public var backboneRateFactor: Double
  /// In its place, for the parameters that a pattern names; the last that does counts.
  @Setting([]) public var rateFactor: [RateFactor]

  // Teacher
  /// A model whose embeddings of the same pictures the network learns to give.
  @Setting(nil, resuming: .free) public var teacher: String?
  /// Its embeddings, as `embed` wrote them, in its place: a file of all sets, or one of each.
  @Setting([], resuming: .free) public var teacherEmbeddings: [String]
  /// Of 1 - cosine in the loss. nil: the logits' fixed scale, else 32; without labels 1.
  @Setting(nil, NumberRange(above: 0, upTo: 1e6)) public var teacherWeight: Double?
  /// Without them images have no people, and the teacher alone tells what to learn.
  @Setting(true, resuming: .fixed) public var labels: Bool

  // Loss and classifier
  @Setting(.cosine) public var marginKind: MarginKind
  /// nil: that of the kind's paper.
  @Setting(nil, NumberRange(0.0...1)) public var margin: Double?
  @Setting(nil, NumberRange(1.0...4)) public var marginMultiplier: Double?
  @Setting(nil, NumberRange(0.0...1)) public var marginAngle: Double?
  @Setting(false, resuming: .free) public var allowLargeMargin: Bool
  /// Of a learned scale.
  @Setting(nil, NumberRange(1e-6...1e6)) public var logitMultiplier: Double?
  /// nil without a multiplier: fixed, by the number of people.
  @Setting(nil, NumberRange(1e-6...1e6)) public var logitScale: Double?
  /// nil: that of the weights that the run starts from, else 1.
  @Setting(nil, NumberRange(1e-6...1e6), resuming: .fixed) public var classWeightNorm: Double?
  @Setting(.replicated, resuming: .free) public var classifier: ClassifierKind
  /// Fraction of the other classes that a step of sharded ones knows; nil for all.
  @Setting(nil, NumberRange(1e-6...1)) public var sampleRate: Double?
  @Setting(false) public var forceSampleRate: Bool

  // Optimization
  /// Samples per rank and micro-batch.
  @Setting(32, Limits.batchSize, resuming: .free) public var batchSize: Int
  @Setting(1, NumberRange(1...65_536)) public var gradientAccumulation: Int
  @Setting(false, resuming: .free) public var recompute: Bool
  /// `--epochs` or `--steps` on the command line.
  @Setting(.epochs(20)) public var length: TrainingLength
  /// nil: the optimizer's usual one for so many images a step.
  @Setting(nil, NumberRange(above: 0, upTo: 1e30)) public var learningRate: Double?
  @Setting(.cosine) public var schedule: ScheduleName
  /// Of the step schedule: where the rate falls to a tenth.
  @Setting([]) public var milestones: [TrainingLength]
  /// nil: an epoch, or a tenth of a short run.
  @Setting(nil) public var warmup: TrainingLength?
  /// nil: `OptimizerKind.usual`.
  @Setting(nil, resuming: .fixed) public var optimizer: OptimizerKind?
  @Setting(0.9, NumberRange(0...0.9999)) public var momentum: Double
  @Setting(false) public var nesterov: Bool
  @Setting(0.9, NumberRange(0...0.9999)) public var beta1: Double
  @Setting(0.999, NumberRange(0...0.999999)) public var beta2: Double
  @Setting(1e-8, NumberRange(1e-16...1)) public var epsilon: Double
  /// Of Muon: how much larger a matrix's steps are than AdamW's of the same rate.
  @Setting(4, NumberRange(above: 0, upTo: 1000)) public var matrixRateFactor: Double
  /// nil: the optimizer's usual one.
  @Setting(nil, NumberRange(0...1000)) public var weightDecay: Double?
  /// It would pull on the scale, so 0 unless asked for.
  @Setting(0, NumberRange(0...1000)) public var classWeightDecay: Double
  @Setting(nil, NumberRange(1e-12...1e12)) public var gradientClipping: Double?

  // Run
  @Setting("", resuming: .free) public var output: String
  @Setting(1, Limits.seed) public var seed: UInt64
  /// On the command line OMP_NUM_THREADS, or the rank's share of the cores, unless given.
  @Setting(1, Limits.threads, resuming: .free) public var threads: Int
  @Setting(.minutes(10), resuming: .free) public var checkpointEvery: CheckpointInterval
  @Setting(3, NumberRange(1...1_000_000), resuming: .free) public var keep: Int
  /// After which this start of the run ends, to be resumed; the schedule stays that of the whole run.
  @Setting(nil, resuming: .forgotten) public var stopAfter: TrainingLength?
  @Setting(nil, resuming: .free) public var verifyReplicas: TrainingLength?
  @Setting(false, resuming: .free) public var logSamples: Bool

  // Communication and observation
  @Setting(4, NumberRange(1...1024), resuming: .free) public var bucketMegabytes: Int
  @Setting(.float32) public var gradientType: GradientType
  @Setting(nil, resuming: .forgotten) public var trace: String?
  /// By default some steps after the start.
  @Setting(nil, resuming: .forgotten) public var traceSteps: TraceSteps?
  @Setting(true, resuming: .free) public var tensorboard: Bool
  @Setting(.steps(100), resuming: .free) public var histogramEvery: TrainingLength
  /// HOST:PORT of this start's live page.
  @Setting(nil, resuming: .forgotten) public var dashboard: String?

  package init(data: [String], output: String) { (self.data, self.output) = (data, output) }
}

/// What turns gradients into new weights.
public enum OptimizerKind: String, Codable, CaseIterable, Sendable {
  case sgd, adamw, muon
}

/// How the learning rate goes down.
public enum ScheduleName: String, Codable, CaseIterable, Sendable {
  case constant, step, polynomial, cosine
}

extension TrainingOptions {
  package var stepSettings: StepSettings {
    var settings = StepSettings()
    settings.classifier = classifier
    settings.sampling = sampleRate.map { ClassSampling(rate: $0, seed: seed) }
    settings.margin = Margin(marginKind, margin, multiplier: marginMultiplier, angle: marginAngle)
    settings.logitScale = logitScale.map { .fixed($0) } ?? .learned(multiplier: logitMultiplier ?? 1)
    let optimizer = optimizer ?? .sgd
    let adam = AdamW(beta1: beta1, beta2: beta2, epsilon: epsilon)
    settings.optimizer =
      switch optimizer {
      case .sgd: .sgd(SGD(momentum: Float(momentum), isNesterov: nesterov))
      case .adamw: .adamW(adam)
      case .muon: .muon(Muon(factor: matrixRateFactor, adam: adam))
      }
    settings.teacherWeight = teacherWeight ?? 1
    settings.weightDecay = weightDecay ?? optimizer.usualWeightDecay
    settings.classWeightDecay = classWeightDecay
    settings.gradientClipping = gradientClipping
    settings.bucketBytes = bucketMegabytes << 20
    settings.gradientType = gradientType
    return settings
  }

  package func learningRateSchedule(stepsPerEpoch: Int) -> LearningRateSchedule {
    guard let learningRate, let warmup else { preconditionFailure("A schedule of options that are not resolved") }
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
