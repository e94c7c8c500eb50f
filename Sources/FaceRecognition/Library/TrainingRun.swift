import Files
import Foundation
import MPI
public import Training

/// Training a network from code, as `cosface train` does: alone, or on all ranks that `mpirun` started.
///
/// ```swift
/// var run = TrainingRun(data: "faces", output: "runs/first")
/// run.options.network = .iresnet18
/// run.options.length = .epochs(10)
/// try run.start { step in print(step.number, step.loss) }
/// let model = try FaceModel(path: "runs/first")
/// ```
public struct TrainingRun: Sendable {
  /// Those of `cosface train`, under their names.
  public var options: TrainingOptions
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
    /// Balanced accuracy at the best threshold, by the set that chooses the best model, on the steps after which the
    /// network was validated.
    public let accuracy: Double?
  }

  /// How a run ended.
  public enum Outcome: Equatable, Sendable {
    /// The model is written.
    case complete
    /// By SIGTERM, SIGINT or SIGUSR1; a checkpoint is written.
    case stopped
  }

  /// A run on a folder of faces with the defaults of `cosface train`. `output` must not hold a run already.
  public init(data: String, output: String) {
    options = TrainingOptions(data: [data], output: output)
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
    guard Limits.collectiveTimeout.contains(collectiveTimeout) else {
      throw SettingError("collectiveTimeout", "\(collectiveTimeout)", Limits.collectiveTimeout.need)
    }
    let hint = "Longer waits are allowed by TrainingRun's collectiveTimeout."
    return try World.visit(collectiveTimeout: collectiveTimeout, hint: hint) { communicator in
      if let impossible = options.impossible {
        throw SettingError(impossible.name, impossible.value, impossible.need)
      }
      if let conflict = options.conflictOfRun { throw SettingError(conflict: conflict) }
      let signals = SignalActions()
      defer { signals.restore() }
      let trainer = try Trainer(options, isQuiet: isQuiet, observers: Observers.make, communicator)
      let outcome = try trainer.run { line in
        onStep(
          Step(
            number: line.step, epoch: line.epoch, loss: line.loss, scale: line.scale, learningRate: line.learningRate,
            imagesPerSecond: line.imagesPerSecond, accuracy: line.accuracy))
      }
      return outcome == .complete ? .complete : .stopped
    }
  }
}
