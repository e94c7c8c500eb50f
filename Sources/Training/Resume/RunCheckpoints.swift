import Weights

/// Writes a run's checkpoints while it trains: rank 0 alone or, with sharded classes, each rank its part.
///
/// Every rank has one, and all call `save`, `completeIfWritten` and `finish`.
final class RunCheckpoints {
  private enum Writer {
    /// Replicated, on all ranks but 0.
    case none
    case whole(CheckpointWriter)
    case parts(ShardedCheckpointWriter)
  }

  private let writer: Writer
  private var last = ContinuousClock.now

  init(_ folder: RunFolder, _ step: TrainingStep, keep: Int) throws {
    let store = CheckpointStore(run: folder.path)
    let communicator = step.communicator
    if communicator.rank == 0 { try store.prepare() }
    let companions = step.companions.flatMap(\.parameters)
    switch step.settings.classifier {
    case .replicated where communicator.rank > 0: writer = .none
    case .replicated:
      writer = .whole(
        CheckpointWriter(
          store, step.network, classWeight: step.classWeight.parameter, companions: companions, keep: keep))
    case .sharded:
      writer = .parts(
        ShardedCheckpointWriter(
          store, step.network, step.classWeight, companions: companions, keep: keep, communicator))
    }
  }

  /// Bytes of the copy from which this rank's part is written.
  var bytes: Int {
    switch writer {
    case .none: 0
    case .whole(let writer): writer.bytes
    case .parts(let writer): writer.bytes
    }
  }

  /// Whether so many minutes have passed since the last checkpoint. Not while one is being written: training would wait.
  func isDue(minutes: Double) -> Bool {
    let isWriting =
      switch writer {
      case .none: false
      case .whole(let writer): writer.isWriting
      case .parts(let writer): writer.isWriting
      }
    return (ContinuousClock.now - last).seconds >= minutes * 60 && !isWriting
  }

  /// Whether this rank has yet to write its part of a checkpoint that others wait for.
  var isWritingPart: Bool {
    if case .parts(let writer) = writer { writer.isWriting } else { false }
  }

  /// After each step; `isWritten`: no rank `isWritingPart`.
  func completeIfWritten(_ isWritten: Bool) throws {
    switch writer {
    case .none: break
    case .whole(let writer): try writer.checkForFailure()
    case .parts(let writer):
      try writer.checkForFailure()
      if isWritten { try writer.complete() }
    }
  }

  /// Copies what this rank holds and writes it behind the training.
  func save(_ state: CheckpointState, _ description: ModelDescription) throws {
    last = ContinuousClock.now
    switch writer {
    case .none: break
    case .whole(let writer): try writer.save(state, description)
    case .parts(let writer): try writer.save(state, description)
    }
  }

  /// Waits for the last checkpoint.
  func finish() throws {
    switch writer {
    case .none: break
    case .whole(let writer): try writer.finish()
    case .parts(let writer): try writer.finish()
    }
  }
}
