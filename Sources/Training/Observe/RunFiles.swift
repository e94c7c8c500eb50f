import Datasets
import Files
import Foundation

/// What rank 0 writes beside checkpoints while training (options, metrics), and who hears of it.
///
/// It exists on rank 0 only.
final class RunFiles {
  private let folder: RunFolder
  private let lock: FileLock
  private let metrics: MetricsFile
  private let samples: StepLog<SampleLine>?
  private let observers: [any RunObserver]

  /// A new run's files, or those of a run that goes on at `step`.
  init(_ folder: RunFolder, _ options: TrainingOptions, resumingAt index: Int?, _ observers: RunObservers) throws {
    self.folder = folder
    self.observers = try observers(folder, options)
    // At the limit of `ulimit -f` writing then fails with a message; the signal would end the process silently.
    signal(SIGXFSZ, SIG_IGN)
    lock = try FileLock(folder.file(".lock")) { TrainingError.runIsInUse(folder.path, by: $0) }
    if index == nil { try folder.clear() }
    metrics = try MetricsFile(path: folder.metrics, keepingStepsBefore: index)
    samples = options.logSamples ? try StepLog(path: folder.samples, keepingStepsBefore: index) : nil
    try options.write(to: folder.configuration)
    for observer in self.observers { try observer.open(folder, resumingAt: index) }
  }

  /// Notes down where the steps that follow are made.
  func add(_ start: RunStart) throws {
    try start.append(to: folder.starts)
    for observer in observers { try observer.begin(folder) }
  }

  /// What the observers have to say at the start.
  var announcements: [String] { observers.compactMap(\.announcement) }

  /// Notes about damaged files.
  var notes: [String] { [metrics.note, samples?.note].compactMap(\.self) }

  /// Looks at a step that was just made, before its line; `takesImages` keeps a picture of the batch.
  func observe(_ step: TrainingStep, _ batch: Batch, takesImages: Bool, takesHistograms: Bool) throws {
    for observer in observers {
      try observer.observe(step, batch, takesImages: takesImages, takesHistograms: takesHistograms)
    }
  }

  func write(_ line: MetricsFile.Line) throws {
    try metrics.write(line)
    for observer in observers { try observer.write(line) }
  }

  func write(_ line: SampleLine) throws { try samples?.write(line) }

  /// - Parameter ending: how the run ended, for those who watch.
  func finish(_ ending: String) throws {
    for observer in observers { try observer.finish(ending) }
  }

  /// Tells those who watch that the run has failed.
  func abandon(_ ending: String) { for observer in observers { observer.abandon(ending) } }
}
