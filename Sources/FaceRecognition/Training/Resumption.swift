import Foundation
package import MPI

/// A run that goes on: its newest whole checkpoint, and the options that it was started with.
///
/// Rank 0 reads; the others are told, so that the checkpoint need not be on a shared disk.
package struct Resumption {
  /// On rank 0 only.
  let checkpoint: Checkpoint?
  package let state: CheckpointState
  package let options: TrainingOptions
  /// What rank 0 says of damaged checkpoints on the way.
  let notes: [String]

  /// Options that may differ from the checkpoint's: they change neither the mathematics nor the data.
  private static let free: Set<String> = [
    "data", "output", "threads", "workers", "bucketMegabytes", "checkpointEvery", "keep", "verifyReplicas",
    "maxBadImages", "validation", "validationImages", "validateEvery", "batchSize", "stopAfter",
    "tensorboard", "histogramEvery", "dashboard",
  ]

  /// Finds the newest whole checkpoint of `run`; nil where there is none and `orStart` allows it.
  ///
  /// - Parameters:
  ///   - given: the command line's options, of which only those named in `names` were given.
  ///   - acceptsChanges: take options that change the mathematics from the command line.
  package init?(
    run: String, given: TrainingOptions, names: Set<String>, acceptsChanges: Bool, orStart: Bool,
    _ communicator: Communicator
  ) throws {
    var found: (checkpoint: Checkpoint, setAside: [CheckpointStore.SetAside])?
    if communicator.rank == 0 {
      let store = CheckpointStore(run: run)
      do {
        found = try store.newestWhole()
      } catch let error as CheckpointError {
        if case .none = error, orStart { found = nil } else { throw error }
      }
    }
    guard try communicator.broadcast(Int64(found == nil ? 0 : 1)) == 1 else { return nil }
    checkpoint = found?.checkpoint
    notes =
      found?.setAside.map { aside in
        "damaged   \(aside.path): \(aside.damage.first?.description ?? "")"
      } ?? []
    let json = try found.map { Array(try JSONEncoder().encode($0.checkpoint.state)) } ?? []
    let bytes = try communicator.broadcast(bytes: json)
    state = try JSONDecoder().decode(CheckpointState.self, from: Data(bytes))
    var merged = try Self.merge(
      given, names, into: state.configuration, run: run, acceptsChanges: acceptsChanges)
    merged.output = run
    try Self.divide(&merged, globalBatchSize: state.globalBatchSize, ranks: communicator.size)
    options = merged
  }

  /// The checkpoint's options with those of the command line that are free, or accepted.
  private static func merge(
    _ given: TrainingOptions, _ names: Set<String>, into configuration: JSONValue, run: String, acceptsChanges: Bool
  ) throws -> TrainingOptions {
    guard case .object(var members) = configuration, case .object(let asked) = try JSONValue(encoding: given) else {
      throw ModelFileError(path: run, reason: "has a checkpoint without a configuration")
    }
    // This start's own business, never the last one's.
    members["stopAfter"] = asked["stopAfter"]
    members["dashboard"] = asked["dashboard"]
    var changes: [ResumeRefusal.Row] = []
    for name in names.sorted() where members[name] != asked[name] {
      if !free.contains(name) {
        changes.append(.init(name: name, checkpoint: text(members[name]), given: text(asked[name])))
      }
      members[name] = asked[name]
    }
    if !changes.isEmpty && !acceptsChanges { throw ResumeRefusal(run: run, rows: changes) }
    return try JSONValue.object(members).decode(as: TrainingOptions.self)
  }

  private static func text(_ value: JSONValue?) -> String {
    guard let value, value != .null, let data = try? JSONEncoder().encode(value) else { return "not given" }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: ["\""])
  }

  /// The global batch stays what it was: each rank's part is recomputed.
  private static func divide(_ options: inout TrainingOptions, globalBatchSize: Int, ranks: Int) throws {
    let accumulation = options.gradientAccumulation
    guard globalBatchSize % (ranks * accumulation) == 0 else {
      let possible = (1...globalBatchSize).filter { globalBatchSize % ($0 * accumulation) == 0 }
      throw ResumeDivision(globalBatchSize: globalBatchSize, ranks: ranks, possible: possible)
    }
    options.batchSize = globalBatchSize / (ranks * accumulation)
  }
}
