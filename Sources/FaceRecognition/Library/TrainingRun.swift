import Files
import Foundation
import MPI
import NeuralNetwork
import Training

/// Training a network from code, as `cosface train` does: alone, or on all ranks that `mpirun` started.
///
/// ```swift
/// var run = TrainingRun(data: "faces", output: "runs/first")
/// run.network = "iresnet18"
/// run.epochs = 10
/// try run.start { step in print(step.number, step.loss) }
/// let model = try FaceModel(path: "runs/first")
/// ```
public struct TrainingRun: Sendable {
  /// Folder of faces: DIR/PERSON/IMAGE.
  public var data: String
  /// Folder for the run; it must not hold one already.
  public var output: String
  /// One of ``FaceModel/networks``.
  public var network = "mobilefacenet"
  /// K, a multiple of 16 up to 4096.
  public var embeddingWidth = 512
  /// Side of the input images in pixels, a multiple of 16 up to 4096.
  public var inputSide = 112
  /// Images per rank and step, from 1 to 65536.
  public var batchSize = 32
  /// Epochs to train, where ``steps`` is nil: above 0, up to a million.
  public var epochs = 20.0
  /// Steps to train, instead of epochs: from 1 to 10^12.
  public var steps: Int?
  /// Learning rate at the start; it goes down to 0.
  public var learningRate = 0.1
  /// Subtracted from the cosine of the right class, in [0, 1].
  public var margin = 0.35
  /// The paper's fixed scale s of the logits; nil learns it.
  public var logitScale: Double?
  /// People to hold out of training and to judge by, drawn by the seed.
  public var holdoutPeople = 0
  /// Of the weights, the data order and the augmentation.
  public var seed: UInt64 = 1
  /// Threads per rank that compute, from 1 to 1024.
  public var threads = 1
  /// Seconds that a rank may wait for others that get nothing done, before all are ended; 0: for ever. The first run's
  /// counts for the whole process.
  public var collectiveTimeout = 300.0
  /// Whether rank 0 tells on standard error how it goes.
  public var isQuiet = true

  /// What one step came to.
  public struct Step: Equatable, Sendable {
    /// From 0 over all epochs.
    public let number: Int
    /// From 0.
    public let epoch: Int
    /// Mean over the images of all ranks.
    public let loss: Double
    /// The logits' scale.
    public let scale: Double
    /// Of this step.
    public let learningRate: Double
    /// Of all ranks.
    public let imagesPerSecond: Double
    /// Of verification, on the steps after which the network was judged.
    public let accuracy: Double?
  }

  /// How a run ended.
  public enum Outcome: Equatable, Sendable {
    /// The model is written.
    case complete
    /// By SIGTERM, SIGINT or SIGUSR1; a checkpoint is written.
    case stopped
  }

  /// A run with the defaults of `cosface train`.
  public init(data: String, output: String) {
    self.data = data
    self.output = output
  }

  /// Trains to the end. Every rank calls it, and `onStep` is called on every rank with the same values after each step.
  ///
  /// MPI is started at the first call, and ends with the process. SIGTERM, SIGINT and SIGUSR1 belong to the run while it
  /// trains, and then again to whom they belonged before.
  ///
  /// - Throws: ``SettingError``, or an error whose description says what is wrong with data or output. Started by `mpirun`
  ///   with several ranks it does not throw: a rank that fails says why, and all end with exit code 1, for the others
  ///   wait for it. A program that ends in the midst of a run ends all, too.
  @discardableResult
  public func start(_ onStep: (Step) -> Void = { _ in }) throws -> Outcome {
    try Self.require(Limits.collectiveTimeout, "collectiveTimeout", collectiveTimeout)
    let hint = "Longer waits are allowed by TrainingRun's collectiveTimeout."
    return try World.visit(collectiveTimeout: collectiveTimeout, hint: hint) { communicator in
      let (options, kind) = try checked()
      let signals = SignalActions()
      defer { signals.restore() }
      let trainer = try Trainer(options, kind: kind, isQuiet: isQuiet, observers: Observers.make, communicator)
      let outcome = try trainer.run { line in
        onStep(
          Step(
            number: line.step, epoch: line.epoch, loss: line.loss, scale: line.scale, learningRate: line.learningRate,
            imagesPerSecond: line.imagesPerSecond, accuracy: line.accuracy))
      }
      return outcome == .complete ? .complete : .stopped
    }
  }

  private func checked() throws -> (TrainingOptions, NetworkKind) {
    let settings = ModelSettings(network: network, embeddingWidth: embeddingWidth, inputSide: inputSide)
    let kind = try settings.kind
    var options = TrainingOptions(data: [data], output: output)
    options.network = network
    options.embedding = embeddingWidth
    options.inputSize = inputSide
    options.batchSize = batchSize
    options.length = steps.map { .steps($0) } ?? .epochs(epochs)
    options.learningRate = learningRate
    options.margin = margin
    options.logitScale = logitScale
    options.holdoutPeople = holdoutPeople
    options.seed = seed
    options.threads = threads
    if let steps { try Self.require(Limits.steps, "steps", steps) }
    try Self.require(Limits.epochs, "epochs", epochs)
    // The names of all others are those of the options.
    if let impossible = options.impossible {
      throw SettingError(impossible.name, impossible.value, impossible.need)
    }
    return (options, kind)
  }

  private static func require<Number>(
    _ range: NumberRange<Number>, _ name: String, _ value: Number
  ) throws(SettingError) {
    guard range.contains(value) else { throw SettingError(name, "\(value)", range.need) }
  }
}
