import Files
package import MPI
package import NeuralNetwork
package import Weights

/// Writes checkpoints of a class weight that is divided among the ranks, behind the training: every rank its rows, rank 0
/// all else, into one folder that all ranks see.
///
/// Two phases, so that a checkpoint gets its name only when all files of all ranks are on disk: after `save` each rank
/// writes on a thread; once none `isWriting` (the ranks ask each other in the reduction that they make each step
/// anyway), `complete` tells rank 0 the digests, and a thread there writes what lists them and renames. The threads
/// never call MPI.
///
/// Every rank has a writer. `save`, `complete` and `finish` are collective.
package final class ShardedCheckpointWriter {
  private let store: CheckpointStore
  private let keep: Int
  private let communicator: Communicator
  private let rows: ClassRowsSnapshot
  /// On rank 0.
  private let network: CheckpointSnapshot?
  private let work = BackgroundWork()
  private let written = Written()
  /// The checkpoint whose parts are being written, or are to be completed.
  private var open: (folder: CheckpointFolder, state: CheckpointState)?

  /// What the thread leaves for `complete`; one of them runs at a time.
  private final class Written: @unchecked Sendable {
    var part: ClassRowsSnapshot.Part?
    /// On rank 0.
    var network: CheckpointStore.NetworkFiles?
  }

  /// Allocates the copies: as much memory as this rank's rows and their states have, on rank 0 also the network's.
  package init(
    _ store: CheckpointStore, _ network: Network, _ classWeight: ClassWeight, companions: [Parameter] = [], keep: Int,
    _ communicator: Communicator
  ) {
    precondition(keep >= 1, "\(keep) checkpoints to keep")
    self.store = store
    self.keep = keep
    self.communicator = communicator
    rows = ClassRowsSnapshot(classWeight, part: communicator.rank, of: communicator.size)
    self.network =
      communicator.rank == 0 ? CheckpointSnapshot(network, classWeight: nil, companions: companions) : nil
  }

  package var bytes: Int { rows.bytes + (network?.bytes ?? 0) }

  /// Whether this rank still writes its part.
  package var isWriting: Bool { open != nil && work.isBusy }

  /// Copies this rank's part as it is now, and has the copy written.
  package func save(_ state: CheckpointState, _ description: ModelDescription) throws {
    try finish()
    let name = communicator.rank == 0 ? try store.begin(step: state.step).name : ""
    let bytes = try communicator.broadcast(bytes: Array(name.utf8))
    let folder = store.temporaryFolder(named: String(decoding: bytes, as: UTF8.self))
    rows.capture()
    network?.capture()
    open = (folder, state)
    try work.start("checkpoint") { [store, written, rows, network] in
      written.part = try rows.write(to: folder)
      written.network = try network.map { try store.writeNetwork(of: $0, description, to: folder) }
    }
  }

  /// Throws what went wrong since the last call; does not wait.
  package func checkForFailure() throws { try work.checkForFailure() }

  /// Has rank 0 complete the checkpoint, if there is one; waits for parts that are not written yet.
  package func complete() throws {
    guard let (folder, state) = open else { return }
    try work.wait()
    guard let part = written.part else { preconditionFailure("A checkpoint of which nothing was written") }
    let parts = try communicator.allGather(encoding: part)
    open = nil
    guard let network = written.network else { return }
    try work.start("checkpoint") { [store, keep] in
      let whole = try store.complete(folder, state, network, parts)
      try store.prune(keeping: keep, best: state.best?.step, written: whole)
    }
  }

  /// Waits until what was saved is on disk under its name; throws what went wrong.
  package func finish() throws {
    try complete()
    try work.wait()
  }
}
