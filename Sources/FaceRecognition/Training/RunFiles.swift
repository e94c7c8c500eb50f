import Foundation
import MPI
import NeuralNetwork

/// What rank 0 writes while training: metrics, checkpoints behind the training, and the model at the end.
///
/// On the other ranks there is none.
final class RunFiles {
  private let folder: RunFolder
  private let lock: RunLock
  private let metrics: MetricsFile
  private let samples: StepLog<SampleLine>?
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
    // Where `ulimit -f` ends a file, a message shall come, and not a signal's silent end.
    signal(SIGXFSZ, SIG_IGN)
    lock = try RunLock(folder)
    let store = CheckpointStore(run: folder.path)
    try store.prepare()
    metrics = try MetricsFile(path: folder.metrics, keepingStepsBefore: index)
    samples = options.logSamples ? try StepLog(path: folder.samples, keepingStepsBefore: index) : nil
    try options.write(to: folder.configuration)
    try AtomicFile.write(Data(options.yaml().utf8), to: folder.optionFile)
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

  func write(_ line: SampleLine) throws { try samples?.write(line) }

  /// Whether the minutes since the last checkpoint are over. Not while one is still being written: training would wait.
  func isDue(minutes: Double) -> Bool {
    (ContinuousClock.now - lastCheckpoint).seconds >= minutes * 60 && !writer.isWriting
  }

  /// Copies the network and writes it behind the training.
  func save(_ state: CheckpointState, _ description: ModelDescription) throws {
    lastCheckpoint = ContinuousClock.now
    try writer.save(state, description)
  }

  /// Waits for the last checkpoint.
  func finish() throws {
    try writer.finish()
    try tensorBoard?.close()
    dashboard?.stop()
  }
}
