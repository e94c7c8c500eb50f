import Files
import Foundation
import Inference
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
    guard case .object(let configuration) = configuration else {
      throw ModelFileError(path: run, reason: "has a checkpoint without a configuration")
    }
    let held: TrainingOptions
    do { held = try TrainingOptions(configuration: configuration).formerly } catch let error as DecodingError {
      let culprit = error.name.map { "\($0) is '\(text(configuration[$0]))'" } ?? "\(error)"
      throw ModelFileError(path: run, reason: "has a checkpoint whose configuration cannot be read: \(culprit)")
    }
    var members = try held.values()
    let asked = try given.values()
    var changes: [ResumeRefusal.Row] = []
    for (name, setting) in TrainingOptions.declared where members[name] != asked[name] {
      guard names.contains(name) || setting.resuming == .forgotten else { continue }
      if setting.resuming == .accepted || setting.resuming == .fixed {
        changes.append(
          .init(
            name: name, checkpoint: text(members[name]), given: text(asked[name]),
            isAcceptable: setting.resuming == .accepted))
      }
      members[name] = asked[name]
    }
    try refuse(changes.sorted { $0.name < $1.name }, run: run, acceptsChanges)
    let merged = try TrainingOptions(members)
    if let conflict = merged.conflict, conflict != held.conflict { throw ResumeConflict(run: run, conflict: conflict) }
    return merged
  }

  private static func refuse(_ rows: [ResumeRefusal.Row], run: String, _ acceptsChanges: Bool) throws {
    guard rows.allSatisfy({ acceptsChanges && $0.isAcceptable }) else { throw ResumeRefusal(run: run, rows: rows) }
  }

  /// The tensors and the configuration must be of the same network.
  private static func check(_ checkpoint: Checkpoint, _ options: TrainingOptions) throws {
    let held = checkpoint.description
    let (network, embedding, side) = (options.network.rawValue, options.embedding, options.inputSize)
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

  /// Refuses another teacher than the one that the run has learned from so far.
  func check(_ teacher: (any Teacher)?) throws {
    guard teacher?.digest != state.teacherDigest else { return }
    let row = ResumeRefusal.Row(
      name: "teacher", checkpoint: state.teacherDigest ?? "none", given: teacher?.digest ?? "none", isAcceptable: true)
    try Self.refuse([row], run: run, acceptsChanges)
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
      if case .string(let name)? = state.configuration["classifier"], name != classifier.rawValue {
        note("--classifier \(classifier.rawValue)", before: name)
      }
      // The gradient of the embeddings is added up piece by piece of the class weight.
      let megabytes = options.bucketMegabytes
      if case .integer(let count)? = state.configuration["bucketMegabytes"], count != Int64(megabytes),
        classifier == .replicated,
        (classes * options.embedding * 4) >> 20 >= min(Int(count), megabytes)
      {
        note("--bucket-megabytes \(megabytes)", before: "\(count)")
      }
    }
    let kernels = Libraries.kernels
    if let before = state.kernels, before != kernels {
      notes.append("computed by \(kernels), before by \(before): last digits differ from there on")
    }
    let versions = LibraryVersion.all.compactMap { library in
      state.libraries?[library.name].map { (library: library, before: $0) }
    }.filter { $0.before != $0.library.loaded }
    if !versions.isEmpty {
      let list = versions.map { "\($0.library.name) \($0.library.loaded), before \($0.before)" }
      notes.append("with \(list.joined(separator: "; ")): last digits may differ from there on")
    }
    return notes
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

extension DecodingError {
  /// The member of the outermost object that could not be read.
  fileprivate var name: String? {
    switch self {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
      .dataCorrupted(let context):
      context.codingPath.first?.stringValue
    @unknown default: nil
    }
  }
}
