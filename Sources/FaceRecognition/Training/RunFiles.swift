import Foundation
import MPI
import NeuralNetwork

/// What rank 0 writes beside checkpoints while training: options, metrics and what shows them.
///
/// On the other ranks there is none.
final class RunFiles {
  private let folder: RunFolder
  private let lock: FileLock
  private let metrics: MetricsFile
  private let samples: StepLog<SampleLine>?
  private let tensorBoard: TensorBoardLog?
  private let dashboard: Dashboard?

  /// A new run's files, or those of a run that goes on at `step`.
  init(_ folder: RunFolder, _ options: TrainingOptions, resumingAt index: Int?) throws {
    self.folder = folder
    // First of all: where its port is taken, nothing has been written yet.
    dashboard = try options.dashboard.flatMap(DashboardAddress.init).map { try Dashboard($0, folder, options) }
    // Where `ulimit -f` ends a file, a message shall come, and not a signal's silent end.
    signal(SIGXFSZ, SIG_IGN)
    lock = try FileLock(folder.file(".lock")) { TrainingError.runIsInUse(folder.path, by: $0) }
    if index == nil { try folder.clear() }
    metrics = try MetricsFile(path: folder.metrics, keepingStepsBefore: index)
    samples = options.logSamples ? try StepLog(path: folder.samples, keepingStepsBefore: index) : nil
    try options.write(to: folder.configuration)
    try AtomicFile.write(Data(options.yaml().utf8), to: folder.optionFile)
    tensorBoard =
      options.tensorboard
      ? try TensorBoardLog(folder: folder.tensorboard, histogramEvery: options.histogramEvery, resumingAt: index) : nil
  }

  /// Notes down where the steps that follow are made.
  func add(_ start: RunStart) throws {
    try start.append(to: folder.starts)
    guard let dashboard else { return }
    dashboard.start(try MetricsHistory(path: folder.metrics), RunStart.all(in: folder.starts).starts)
  }

  /// Address of the live page, where there is one.
  var dashboardAddress: String? { dashboard?.address }

  /// What shall be said of files that were not as they should be.
  var notes: [String] { [metrics.note, samples?.note].compactMap(\.self) }

  /// Looks at a step that was just made, before its line; `takesImages` keeps a picture of the batch.
  func observe(_ step: TrainingStep, _ batch: Batch, takesImages: Bool) throws {
    try tensorBoard?.observe(step, batch, takesImages: takesImages)
  }

  func write(_ line: MetricsFile.Line) throws {
    try metrics.write(line)
    try tensorBoard?.write(line)
    dashboard?.publish(line)
  }

  func write(_ line: SampleLine) throws { try samples?.write(line) }

  /// - Parameter ending: how the run ended, for those who watch the live page.
  func finish(_ ending: String) throws {
    try tensorBoard?.finish()
    dashboard?.stop(ending)
  }
}
