import Files
import Foundation
package import MPI
import NeuralNetwork
package import Weights

/// A run that goes on: its newest whole checkpoint, and the options that it was started with.
///
/// Rank 0 reads; the others are told, so that the checkpoint need not be on a shared disk.
package struct Resumption {
  /// On rank 0 only.
  let checkpoint: Checkpoint?
  package let state: CheckpointState
  package let options: TrainingOptions
  /// Notes for rank 0 to show: damaged checkpoints passed over, a batch size replaced.
  let notes: [String]

  /// Options that may differ from the checkpoint's: they change neither the mathematics nor the data.
  private static let free: Set<String> = [
    "data", "output", "threads", "workers", "bucketMegabytes", "checkpointEvery", "keep", "verifyReplicas",
    "maxBadImages", "validation", "validationImages", "validateEvery", "batchSize", "stopAfter", "logSamples",
    "recompute", "trace", "traceSteps", "tensorboard", "histogramEvery", "dashboard", "classifier",
  ]

  /// Options that matter at a run's start alone, or that the checkpoint's tensors depend on.
  private static let fixed: Set<String> = [
    "weights", "allowMissing", "newRows", "classWeightNorm", "network", "embedding", "inputSize",
  ]

  private let run: String
  private let acceptsChanges: Bool

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
    var notes =
      found?.setAside.map { aside in
        "damaged   \(aside.path): \(aside.damage.first?.description ?? "")"
      } ?? []
    state = try communicator.broadcast(encoding: checkpoint?.state)
    var merged = try Self.merge(
      given, names, into: state.configuration, run: run, acceptsChanges: acceptsChanges)
    merged.output = run
    try merged.check(in: run)
    let asked = names.contains("batchSize") ? merged.batchSize : nil
    try Self.divide(&merged, globalBatchSize: state.globalBatchSize, ranks: communicator.size)
    if let asked, asked != merged.batchSize {
      // The first start's command, given again on fewer hosts: its --batch-size gives way.
      guard orStart else {
        throw ResumeDivision.batchSize(
          asked, globalBatchSize: state.globalBatchSize, ranks: communicator.size, needed: merged.batchSize)
      }
      notes.append(
        "batch     \(merged.batchSize) images a rank, not \(asked): the run trains on \(state.globalBatchSize) a step")
    }
    if let checkpoint { try Self.check(checkpoint, merged) }
    (options, self.run, self.acceptsChanges, self.notes) = (merged, run, acceptsChanges, notes)
  }

  /// The checkpoint's options with those of the command line that are free, or accepted.
  private static func merge(
    _ given: TrainingOptions, _ names: Set<String>, into configuration: JSONValue, run: String, acceptsChanges: Bool
  ) throws -> TrainingOptions {
    guard case .object(var members) = configuration, case .object(let asked) = try JSONValue(encoding: given) else {
      throw ModelFileError(path: run, reason: "has a checkpoint without a configuration")
    }
    // These belong to this start, not to the last one.
    for name in ["stopAfter", "trace", "traceSteps", "dashboard"] { members[name] = asked[name] }
    // Options that the program which wrote the checkpoint did not have yet.
    if case .object(let defaults) = try JSONValue(encoding: TrainingOptions(data: [], output: run)) {
      members.merge(defaults) { known, _ in known }
    }
    var changes: [ResumeRefusal.Row] = []
    for name in names.sorted() where members[name] != asked[name] {
      if !free.contains(name) {
        changes.append(
          .init(
            name: name, checkpoint: text(members[name]), given: text(asked[name]), isAcceptable: !fixed.contains(name)))
      }
      members[name] = asked[name]
    }
    try refuse(changes, run: run, acceptsChanges)
    do {
      return try JSONValue.object(members).decode(as: TrainingOptions.self)
    } catch let error as DecodingError {
      throw ModelFileError(path: run, reason: "has a checkpoint whose configuration cannot be read: \(error)")
    }
  }

  private static func refuse(_ rows: [ResumeRefusal.Row], run: String, _ acceptsChanges: Bool) throws {
    guard rows.allSatisfy({ acceptsChanges && $0.isAcceptable }) else { throw ResumeRefusal(run: run, rows: rows) }
  }

  /// The tensors and the configuration must be of the same network.
  private static func check(_ checkpoint: Checkpoint, _ options: TrainingOptions) throws {
    let held = checkpoint.description
    let (network, embedding, side) = (options.network, options.embedding, options.inputSize)
    guard held.network == network && held.embeddingWidth == embedding && held.inputSide == side else {
      throw ModelFileError(
        path: checkpoint.folder.path,
        reason: "contradicts itself: its tensors are of \(held.network), embedding \(held.embeddingWidth), input "
          + "\(held.inputSide), and its configuration is of \(network), embedding \(embedding), input \(side)")
    }
  }

  /// Refuses other people or other images than those that the run has trained on so far.
  func check(_ data: TrainingData) throws {
    let names = Digest(ofNames: data.training.classNames)
    var rows: [ResumeRefusal.Row] = []
    if names != state.classNamesDigest {
      rows.append(
        .init(name: "people", checkpoint: "\(state.classNamesDigest)", given: "\(names)", isAcceptable: false))
    }
    if data.fingerprint != state.dataFingerprint {
      // The same people with other images: the data order is another one from here on.
      rows.append(
        .init(name: "images", checkpoint: state.dataFingerprint, given: data.fingerprint, isAcceptable: rows.isEmpty))
    }
    try Self.refuse(rows, run: run, acceptsChanges)
  }

  /// Differences in rounding alone, data and mathematics being the same; empty where the bytes will be the same, too.
  ///
  /// - Parameter classes: rows of the class weight.
  func roundings(_ communicator: Communicator, classes: Int) -> [String] {
    var notes: [String] = []
    func note(_ now: String, before: String) {
      notes.append("\(now), before \(before): the same data and mathematics, but sums are rounded in another order")
    }
    let (ranks, threads) = (communicator.size, options.threads)
    if ranks != state.rankCount || threads != state.threadsPerRank {
      note("\(ranks) ranks of \(threads) threads", before: "\(state.rankCount) of \(state.threadsPerRank)")
    }
    // One rank holds all rows either way, and updates them in one piece.
    if max(ranks, state.rankCount) > 1 {
      let classifier = options.classifier
      if case .string(let name)? = before("classifier"), name != classifier.rawValue {
        note("--classifier \(classifier.rawValue)", before: name)
      }
      // The gradient of the embeddings is added up piece by piece of the class weight.
      let megabytes = options.bucketMegabytes
      if case .integer(let count)? = before("bucketMegabytes"), count != Int64(megabytes), classifier == .replicated,
        (classes * options.embedding * 4) >> 20 >= min(Int(count), megabytes)
      {
        note("--bucket-megabytes \(megabytes)", before: "\(count)")
      }
    }
    let kernels = Libraries.kernels
    if let before = state.kernels, before != kernels {
      notes.append("computed by \(kernels), before by \(before): last digits differ from there on")
    }
    return notes
  }

  /// An option of the checkpoint; nil where the program that wrote it did not have it.
  private func before(_ name: String) -> JSONValue? {
    guard case .object(let members) = state.configuration else { return nil }
    return members[name]
  }

  private static func text(_ value: JSONValue?) -> String {
    guard let value, value != .null, let data = try? JSONEncoder().encode(value) else { return "not given" }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: ["\""])
  }

  /// The global batch stays what it was: each rank's part is recomputed.
  private static func divide(_ options: inout TrainingOptions, globalBatchSize: Int, ranks: Int) throws {
    let accumulation = options.gradientAccumulation
    guard globalBatchSize % (ranks * accumulation) == 0 else {
      let possible = (1...min(globalBatchSize, 1 << 16)).filter { globalBatchSize % ($0 * accumulation) == 0 }
      throw ResumeDivision.ranks(ranks, globalBatchSize: globalBatchSize, possible: possible)
    }
    options.batchSize = globalBatchSize / (ranks * accumulation)
  }
}
