import Files
package import NeuralNetwork
package import Weights

/// Writes checkpoints behind the training: `save` copies and returns, a thread of its own writes the copy.
///
/// One is in flight at a time. A `save` that comes before the last one is on disk waits for it: none is skipped, so
/// which checkpoints a run makes depends on its options and not on its disk. A caller that would rather skip than wait
/// (checkpoints by time) asks `isWriting` first. An error while writing is thrown by the next call of any method here.
/// ```swift
/// let writer = CheckpointWriter(store, network, classWeight: head.classWeight.parameter, keep: 3)
/// try writer.save(state, description)    // every so many steps, after head.classWeight.materialize()
/// try writer.checkForFailure()           // every step: ends the run soon after a disk is full
/// try writer.finish()                    // at the end, and before the program exits for a signal
/// ```
/// One thread calls these methods; rank 0 alone has a writer.
package final class CheckpointWriter: @unchecked Sendable {
  package let store: CheckpointStore
  /// How many newest checkpoints stay; the best by validation stays too.
  package let keep: Int

  private let snapshot: CheckpointSnapshot
  private let work = BackgroundWork()

  /// Allocates the copy: as much memory as values, statistics and optimizer's states have.
  package init(
    _ store: CheckpointStore, _ network: Network, classWeight: Parameter, companions: [Parameter] = [], keep: Int
  ) {
    precondition(keep >= 1, "\(keep) checkpoints to keep")
    self.store = store
    self.keep = keep
    snapshot = CheckpointSnapshot(network, classWeight: classWeight, companions: companions)
  }

  /// Bytes of the copy, for the memory report.
  package var bytes: Int { snapshot.bytes }

  package var isWriting: Bool { work.isBusy }

  /// Copies the network as it is now, and has the copy written. Costs one copy in memory, if the last one is written.
  ///
  /// - Throws: what went wrong with an earlier one; this one is not made then.
  package func save(_ state: CheckpointState, _ description: ModelDescription) throws {
    try finish()
    snapshot.capture()
    try work.start("checkpoint") { [self] in
      let folder = try store.write(snapshot, state, description)
      try store.prune(keeping: keep, best: state.best?.step, written: folder)
    }
  }

  /// Throws what went wrong since the last call; does not wait.
  package func checkForFailure() throws { try work.checkForFailure() }

  /// Waits until what was saved is on disk; throws what went wrong.
  package func finish() throws { try work.wait() }
}
