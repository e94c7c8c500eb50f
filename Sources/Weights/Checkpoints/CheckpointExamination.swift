package import Files
import Foundation

/// A checkpoint read whole: what is in it, and everything that is wrong with it.
///
/// Two digests cover each tensor, the file's and its own: the first finds any change, the second names the tensor. A
/// checkpoint that lies consistently (an edited tensor under a new digest) is not recognized: digests find accidents.
package struct CheckpointExamination {
  package let folder: CheckpointFolder
  package private(set) var damage: [CheckpointDamage] = []
  /// What could be read, also of a damaged checkpoint; trust it only without `damage`.
  package private(set) var document: CheckpointDocument?
  package private(set) var description: ModelDescription?
  package private(set) var model: SafetensorsFile?
  package private(set) var optimizer: SafetensorsFile?
  /// The files of the class weight's rows, in their order; none where the model has them.
  package private(set) var classRows: [SafetensorsFile] = []

  private var digests: CheckpointDigests?
  /// Files whose bytes are those that were written.
  private var intact: Set<String> = []

  package var isWhole: Bool { damage.isEmpty }

  /// Reads every byte twice. Throws only what is no damage: a `FileError` (permissions, too many open files), or
  /// `CheckpointError.newerFormat`.
  package init(_ folder: CheckpointFolder) throws {
    self.folder = folder
    do { digests = try readDigests() } catch let found as CheckpointDamage { damage.append(found) }
    for name in digestedNames {
      do { try check(name) } catch let found as CheckpointDamage { damage.append(found) }
    }
    do { document = try readDocument() } catch let found as CheckpointDamage { damage.append(found) }
    model = try open(CheckpointFolder.modelName)
    optimizer = try open(CheckpointFolder.optimizerName)
    if let model { try compare(model, with: document?.model, CheckpointFolder.modelName) }
    if let optimizer { try compare(optimizer, with: document?.optimizer, CheckpointFolder.optimizerName) }
    if let model {
      do { description = try ModelFile.description(of: model) } catch let error as ModelFileError {
        damage.append(CheckpointDamage(CheckpointFolder.modelName, error.reason))
      }
    }
    for record in document?.classRows ?? [] {
      guard let file = try open(record.file) else { continue }
      classRows.append(file)
      try compare(file, with: record.tensors, record.file)
    }
    compareStates()
    compareRows()
    nameUnexplained()
  }

  private var digestedNames: [String] { digests?.names ?? CheckpointFolder.digestedNames(parts: 0) }

  private func readDigests() throws -> CheckpointDigests {
    let name = CheckpointFolder.digestsName
    guard let digests = CheckpointDigests(decoding: try folder.read(name, limit: CheckpointDigests.maximumBytes)) else {
      throw CheckpointDamage(name, "not the digests of a checkpoint's files")
    }
    return digests
  }

  private mutating func check(_ name: String) throws {
    let (digest, _) = try folder.digest(of: name)
    if digest == digests?[name] { intact.insert(name) }
  }

  /// nil where the file is not what was written: what it says would accuse the others.
  private func readDocument() throws -> CheckpointDocument? {
    let name = CheckpointFolder.stateName
    guard digests == nil || intact.contains(name), !damage.contains(where: { $0.file == name }) else { return nil }
    do {
      return try CheckpointDocument(decoding: folder.read(name, limit: CheckpointDocument.maximumBytes), in: folder)
    } catch CheckpointError.newerFormat where !intact.contains(name) {
      throw CheckpointDamage(name, "its format is none that this program knows")
    }
  }

  private mutating func open(_ name: String) throws -> SafetensorsFile? {
    guard !damage.contains(where: { $0.file == name }) else { return nil }
    do {
      return try SafetensorsFile(path: folder.file(name))
    } catch let error as SafetensorsError {
      let place = error.offset.map { " (byte \($0))" } ?? ""
      damage.append(CheckpointDamage(name, tensor: error.tensor, error.reason + place))
      return nil
    }
  }

  /// The same tensors in the same order, each with its digest.
  private mutating func compare(_ file: SafetensorsFile, with records: [TensorRecord]?, _ name: String) throws {
    guard let records else { return }
    let listed = Set(records.map(\.name))
    for tensor in file.names where !listed.contains(tensor) {
      damage.append(CheckpointDamage(name, tensor: tensor, "\(CheckpointFolder.stateName) does not list it"))
    }
    for record in records {
      guard file.contains(record.name) else {
        damage.append(
          CheckpointDamage(name, tensor: record.name, "missing, but \(CheckpointFolder.stateName) lists it"))
        continue
      }
      let (type, shape) = (try file.type(of: record.name).rawValue, try file.shape(of: record.name))
      if type != record.type || shape != record.shape {
        damage.append(
          CheckpointDamage(
            name, tensor: record.name,
            "\(type) \(shape), where \(CheckpointFolder.stateName) lists \(record.type) \(record.shape)"))
      } else if try file.digest(of: record.name) != record.digest {
        damage.append(CheckpointDamage(name, tensor: record.name, "its bytes are not those that were written"))
      }
    }
    if listed.count != records.count {
      damage.append(CheckpointDamage(CheckpointFolder.stateName, "it lists a tensor of \(name) twice"))
    }
  }

  /// The three places that tell the step and the names must agree.
  private mutating func compareStates() {
    guard let state = document?.state else { return }
    if let step = folder.step, step != state.step {
      damage.append(
        CheckpointDamage(CheckpointFolder.stateName, "it is of step \(state.step), but its folder is '\(folder.name)'"))
    }
    guard let description else { return }
    if description.step != state.step {
      damage.append(
        CheckpointDamage(
          CheckpointFolder.modelName,
          "it is of step \(description.step), and \(CheckpointFolder.stateName) of step \(state.step)"))
    }
    if Digest(ofNames: description.classNames) != state.classNamesDigest {
      damage.append(
        CheckpointDamage(CheckpointFolder.modelName, "its class names are not those of \(CheckpointFolder.stateName)"))
    }
  }

  /// Divided rows must follow each other without a gap, be all that there are, and lie in the files that digests cover.
  private mutating func compareRows() {
    guard let document, let records = document.classRows else { return }
    let name = CheckpointFolder.stateName
    func note(_ reason: String) { damage.append(CheckpointDamage(name, reason)) }
    if records.map(\.file) != (0..<records.count).map({ ClassRowsRecord.fileName($0, of: records.count) })
      || digests.map({ $0.names != CheckpointFolder.digestedNames(parts: records.count) }) == true
    {
      note("the files of the class weight's rows that it lists are not those of this checkpoint")
    }
    var end = 0
    for record in records {
      if record.firstRow != end || record.rowCount < 1 || record.tensors.isEmpty
        || record.tensors.contains(where: { $0.shape.count != 2 || $0.shape[0] != record.rowCount })
      {
        note("the rows of \(record.file) do not follow row \(end)")
      }
      // A sum past Int's range would end the program.
      end = record.firstRow.addingReportingOverflow(record.rowCount).partialValue
    }
    if let names = description?.classNames, names.count != end {
      note("its files have rows of \(end) classes, and \(CheckpointFolder.modelName) names \(names.count)")
    }
  }

  /// Files whose digest does not hold though nothing in them could be named: headers, white space, notes.
  private mutating func nameUnexplained() {
    guard digests != nil else { return }
    for name in digestedNames {
      guard !intact.contains(name), !damage.contains(where: { $0.file == name }) else { continue }
      let reason =
        name != CheckpointFolder.stateName && document != nil && intact.contains(CheckpointFolder.stateName)
        ? "its tensors are whole, but the rest of it is not what was written"
        : "its bytes are not those that were written"
      damage.append(CheckpointDamage(name, reason))
    }
  }
}

/// One thing that is wrong with a checkpoint.
package struct CheckpointDamage: Error, Codable, Equatable, Sendable, CustomStringConvertible {
  /// The file's name within the checkpoint.
  package let file: String
  /// Where one tensor can be named.
  package let tensor: String?
  package let reason: String

  package init(_ file: String, tensor: String? = nil, _ reason: String) {
    self.file = file
    self.tensor = tensor
    self.reason = reason
  }

  package var description: String { file + (tensor.map { ", tensor '\($0)'" } ?? "") + ": " + reason }
}
