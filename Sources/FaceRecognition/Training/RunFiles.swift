import Foundation
import MPI
import NeuralNetwork

/// What rank 0 writes while training: metrics, checkpoints behind the training, and the model at the end.
///
/// On the other ranks there is none.
final class RunFiles {
  private let folder: RunFolder
  private let metrics: MetricsFile
  private let tensorBoard: TensorBoardLog?
  private let dashboard: Dashboard?
  private let writer: CheckpointWriter
  private let started = ContinuousClock.now
  private var lastCheckpoint = ContinuousClock.now

  /// A new run's files, or those of a run that goes on at `step`.
  init(_ folder: RunFolder, _ options: TrainingOptions, _ step: TrainingStep, resumingAt index: Int?) throws {
    self.folder = folder
    // First of all: where its port is taken, nothing has been written yet.
    dashboard = try options.dashboard.flatMap(DashboardAddress.init).map { try Dashboard($0, folder, options) }
    let store = CheckpointStore(run: folder.path)
    try store.prepare()
    if let index {
      metrics = try MetricsFile(path: folder.metrics, keepingStepsBefore: index)
    } else {
      metrics = try MetricsFile(path: folder.metrics)
      try options.write(to: folder.configuration)
    }
    tensorBoard =
      options.tensorboard
      ? try TensorBoardLog(folder: folder.tensorboard, histogramEvery: options.histogramEvery, resumingAt: index) : nil
    writer = CheckpointWriter(store, step.network, classWeight: step.head.classWeight, keep: options.keep)
  }

  /// Bytes of the copy from which checkpoints are written.
  var bytes: Int { writer.bytes }

  /// Notes down where the steps that follow are made.
  func add(_ start: RunStart) throws {
    try start.append(to: folder.starts)
    guard let dashboard else { return }
    dashboard.start(try MetricsHistory(path: folder.metrics), RunStart.all(in: folder.starts))
  }

  /// Address of the live page, where there is one.
  var dashboardAddress: String? { dashboard?.address }

  /// Looks at a step that was just made, before its line; `takesImages` keeps a picture of the batch.
  func observe(_ step: TrainingStep, _ batch: Batch, takesImages: Bool) throws {
    try tensorBoard?.observe(step, batch, takesImages: takesImages)
  }

  func write(_ line: MetricsFile.Line) throws {
    try metrics.write(line)
    try tensorBoard?.write(line)
    dashboard?.publish(line)
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
    try tensorBoard?.close()
    dashboard?.stop()
  }
}
