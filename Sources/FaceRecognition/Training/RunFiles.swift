import Foundation
import MPI
import NeuralNetwork

/// What rank 0 writes while training: metrics, checkpoints behind the training, and the model at the end.
///
/// On the other ranks there is none.
final class RunFiles {
  private let folder: RunFolder
  private let metrics: MetricsFile
  private let writer: CheckpointWriter
  private let started = ContinuousClock.now
  private var lastCheckpoint = ContinuousClock.now

  /// A new run's files, or those of a run that goes on at `step`.
  init(_ folder: RunFolder, _ options: TrainingOptions, _ step: TrainingStep, resumingAt index: Int?) throws {
    self.folder = folder
    let store = CheckpointStore(run: folder.path)
    try store.prepare()
    if let index {
      metrics = try MetricsFile(path: folder.metrics, keepingStepsBefore: index)
    } else {
      metrics = try MetricsFile(path: folder.metrics)
      try options.write(to: folder.configuration)
      try AtomicFile.write(Data(options.yaml().utf8), to: folder.optionFile)
    }
    writer = CheckpointWriter(store, step.network, classWeight: step.head.classWeight, keep: options.keep)
  }

  /// Bytes of the copy from which checkpoints are written.
  var bytes: Int { writer.bytes }

  func write(_ line: MetricsFile.Line) throws {
    try metrics.write(line)
    try writer.checkForFailure()
  }

  /// Whether the minutes since the last checkpoint are over.
  func isDue(minutes: Double) -> Bool { (ContinuousClock.now - lastCheckpoint).seconds >= minutes * 60 }

  /// Copies the network and writes it behind the training.
  func save(_ state: CheckpointState, _ description: ModelDescription) throws {
    lastCheckpoint = ContinuousClock.now
    try writer.save(state, description)
  }

  /// Waits for the last checkpoint.
  func finish() throws {
    try writer.finish()
    try metrics.close()
  }
}
