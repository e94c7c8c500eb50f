import Files
import Foundation

/// The checkpoints of a run: `RUN/checkpoints/step-…`. Rank 0 alone writes, removes and renames there.
///
/// A checkpoint has its name from the moment at which it is whole and on disk, and loses it before it is taken apart: so
/// a kill at any moment leaves whole checkpoints, and beside them hidden names that `prepare()` clears away.
package struct CheckpointStore: Sendable {
  package let run: String
  package let path: String

  private static let damagedSuffix = ".damaged"

  package init(run: String) {
    self.run = run
    path = FilePath.join(run, "checkpoints")
  }

  private func item(_ name: String) -> String { FilePath.join(path, name) }

  /// The checkpoints by name, oldest first, whole or not. None where the folder does not exist.
  package func folders() throws -> [CheckpointFolder] {
    try names().map { CheckpointFolder(path: item($0)) }.filter { $0.step != nil }.sorted { $0.step! < $1.step! }
  }

  /// Folders that were set aside as damaged, by name.
  package func setAside() throws -> [CheckpointFolder] {
    try names().filter { $0.wholeMatch(of: /step-[0-9]{8,18}\.damaged(-[0-9]+)?/) != nil }.sorted()
      .map { CheckpointFolder(path: item($0)) }
  }

  private func names() throws -> [String] {
    guard try FilePath.isThere(path) else { return [] }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw FileError("list the checkpoints in", path)
    }
    return names
  }

  /// Makes the folder and removes what killed writers left behind: at a run's start, before anything is written.
  package func prepare() throws {
    try FilePath.makeFolder(path)
    // A folder that was there may be of a run that ended before its entry was on disk.
    try AtomicFile.synchronizeFolder(run)
    for name in try names() {
      if let step = Self.formerStep(ofName: name), !FileManager.default.fileExists(atPath: item(step)) {
        // Killed between the two renames of a replacement: the former one is still the one.
        try rename(item(name), to: item(step))
      } else if Self.isLeftover(name) {
        try FileManager.default.removeItem(atPath: item(name))
      }
    }
    try AtomicFile.synchronizeFolder(path)
  }

  /// Whether a name in the folder is what a killed process left: half-written, or about to be removed.
  package static func isLeftover(_ name: String) -> Bool {
    name.hasPrefix(".step-") && AtomicFile.isTemporary(name) || formerStep(ofName: name) != nil
  }

  /// ".step-00001200.former": the checkpoint that a new one of the same step is about to replace.
  private static func formerName(_ step: String) -> String { ".\(step).former" }

  private static func formerStep(ofName name: String) -> String? {
    name.wholeMatch(of: /\.(step-[0-9]{8,18})\.former/).map { String($0.1) }
  }

  /// A hidden name of our own for a folder, which `isLeftover` knows.
  private func temporary(_ name: String) -> String { item(".\(name).\(getpid())-\(UInt32.random(in: 0...(.max))).tmp") }

  private func rename(_ from: String, to: String) throws {
    guard Foundation.rename(from, to) == 0 else { throw FileError("rename '\(from)' to", to) }
  }

  /// Writes one checkpoint: under its name is nothing, or the former one, or the whole new one, on disk.
  ///
  /// Every file and folder is flushed before the name is given. Throws `FileError`; nothing is left behind then.
  package func write(
    _ snapshot: CheckpointSnapshot, _ state: CheckpointState, _ description: ModelDescription
  ) throws -> CheckpointFolder {
    precondition(description.step == state.step, "A model of step \(description.step) in a state of \(state.step)")
    let folder = try begin(step: state.step)
    do {
      return try complete(folder, state, try writeNetwork(of: snapshot, description, to: folder), [])
    } catch {
      try? FileManager.default.removeItem(atPath: folder.path)
      throw error
    }
  }

  /// Makes the hidden folder in which a checkpoint is written.
  package func begin(step: Int) throws -> CheckpointFolder {
    let folder = CheckpointFolder(path: temporary(CheckpointFolder.name(step: step)))
    guard mkdir(folder.path, 0o777) == 0 else { throw FileError("create the folder", folder.path) }
    return folder
  }

  /// The hidden folder that another rank has made.
  package func temporaryFolder(named name: String) -> CheckpointFolder { CheckpointFolder(path: item(name)) }

  /// What the document and the digests say of the model and the optimizer file.
  package struct NetworkFiles: Sendable {
    let model: [TensorRecord]
    let optimizer: [TensorRecord]
    let digests: [Digest]
  }

  /// Writes the model and the optimizer file. Each is flushed as it is written, and the folder with it (`AtomicFile`).
  package func writeNetwork(
    of snapshot: CheckpointSnapshot, _ description: ModelDescription, to folder: CheckpointFolder
  ) throws -> NetworkFiles {
    let (model, optimizer) = (try snapshot.modelWriter(description), snapshot.optimizerWriter())
    return NetworkFiles(
      model: model.records, optimizer: optimizer.records,
      digests: [
        try model.write(to: folder.file(CheckpointFolder.modelName)),
        try optimizer.write(to: folder.file(CheckpointFolder.optimizerName)),
      ])
  }

  /// Writes what lists the other files, all of which are on disk, and gives the checkpoint its name.
  ///
  /// `parts`: the files of the class weight's rows, in their order; none where the model has them.
  package func complete(
    _ folder: CheckpointFolder, _ state: CheckpointState, _ network: NetworkFiles, _ parts: [ClassRowsSnapshot.Part]
  ) throws -> CheckpointFolder {
    let records = parts.map(\.record)
    let document = try CheckpointDocument(
      state, model: network.model, optimizer: network.optimizer, classRows: parts.isEmpty ? nil : records
    ).encoded()
    var digests = network.digests + parts.map(\.digest)
    if !parts.isEmpty {
      let index = try CheckpointIndex(model: network.model, optimizer: network.optimizer, classRows: records).encoded()
      try AtomicFile.write(index, to: folder.file(CheckpointFolder.indexName))
      digests.append(index.withUnsafeBytes { Digest(of: $0) })
    }
    digests.append(document.withUnsafeBytes { Digest(of: $0) })
    try AtomicFile.write(document, to: folder.file(CheckpointFolder.stateName))
    let list = CheckpointDigests(digests, parts: parts.count)
    try AtomicFile.write(list.encoded, to: folder.file(CheckpointFolder.digestsName))
    let name = CheckpointFolder.name(step: state.step)
    try give(folder.path, theName: name)
    return CheckpointFolder(path: item(name))
  }

  private func give(_ temporary: String, theName name: String) throws {
    let (final, former) = (item(name), item(Self.formerName(name)))
    // A folder cannot be renamed over a full one.
    let replaces = FileManager.default.fileExists(atPath: final)
    if replaces { try rename(final, to: former) }
    do { try rename(temporary, to: final) } catch {
      if replaces { try rename(former, to: final) }
      throw error
    }
    try AtomicFile.synchronizeFolder(path)
    if replaces { try FileManager.default.removeItem(atPath: former) }
  }

  /// Removes all checkpoints but the `count` newest, the one of step `best`, and `written`, which was just written whole.
  ///
  /// Newer ones than `written` are of a history that this run left, but are kept if among the newest: only their owner
  /// knows. A folder gives its name up first, so that no half-removed one is ever taken for a checkpoint.
  package func prune(keeping count: Int, best: Int?, written: CheckpointFolder) throws {
    precondition(count >= 1, "\(count) checkpoints to keep")
    let folders = try folders()
    for folder in folders.dropLast(count) where folder.step != best && folder.name != written.name {
      let hidden = temporary(folder.name)
      try rename(folder.path, to: hidden)
      try FileManager.default.removeItem(atPath: hidden)
    }
  }

  /// A checkpoint that was damaged: the name that it has now, and what is wrong.
  package struct SetAside: Equatable, Sendable {
    package let path: String
    package let damage: [CheckpointDamage]
  }

  /// The newest checkpoint that is whole; damaged ones on the way to it are renamed `step-….damaged` and returned.
  ///
  /// - Throws: `CheckpointError` where there is none, or one of a newer format; `FileError`.
  package func newestWhole() throws -> (checkpoint: Checkpoint, setAside: [SetAside]) {
    var setAside: [SetAside] = []
    for folder in try folders().reversed() {
      let examination = try CheckpointExamination(folder)
      if examination.isWhole { return (try Checkpoint(examination), setAside) }
      var (aside, number) = (folder.path + Self.damagedSuffix, 1)
      while FileManager.default.fileExists(atPath: aside) {
        number += 1
        aside = folder.path + Self.damagedSuffix + "-\(number)"
      }
      try rename(folder.path, to: aside)
      setAside.append(SetAside(path: aside, damage: examination.damage))
    }
    // Also where an earlier call has set them aside: such a run is not one that never began.
    let damaged = try self.setAside().map(\.path)
    throw damaged.isEmpty ? CheckpointError.none(run: run) : CheckpointError.noneWhole(run: run, setAside: damaged)
  }
}
