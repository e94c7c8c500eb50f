import Files
import Foundation
import NeuralNetwork

extension Inspection {
  /// Reads all of what is at `path`; changes nothing.
  ///
  /// Damage is reported, not thrown. Throws a `FileError` where nothing can be read, `CheckpointError.newerFormat`, and
  /// `ModelFileError` for a folder that is neither run nor checkpoint.
  package init(path given: String) throws {
    // "RUN/" and "RUN" have the same name.
    let path = given.count > 1 && given.hasSuffix("/") ? String(given.dropLast()) : given
    var status = stat()
    guard stat(path, &status) == 0 else { throw FileError("inspect", path) }
    if status.st_mode & S_IFMT != S_IFDIR {
      try self.init(weights: path)
    } else if CheckpointFolder.isCheckpoint(path) {
      try self.init(checkpoint: CheckpointFolder(path: path))
    } else {
      try self.init(run: path)
    }
  }

  private init(checkpoint folder: CheckpointFolder) throws {
    self.init(path: folder.path, kind: .checkpoint)
    let examination = try CheckpointExamination(folder)
    damage = examination.damage
    isWhole = damage.isEmpty
    try describe(examination)
  }

  private mutating func describe(_ examination: CheckpointExamination) throws {
    program = examination.document?.program
    written = examination.document?.written
    state = examination.document?.state
    model = examination.description.map(Model.init)
    for (name, file, records) in [
      (CheckpointFolder.modelName, examination.model, examination.document?.model),
      (CheckpointFolder.optimizerName, examination.optimizer, examination.document?.optimizer),
    ] {
      if let file { files.append(try Self.describe(file, name: name, records: records)) }
    }
    for file in examination.classRows {
      let name = FilePath.name(of: file.path)
      let records = examination.document?.classRows?.first { $0.file == name }?.tensors
      files.append(try Self.describe(file, name: name, records: records))
    }
  }

  private static func describe(_ file: SafetensorsFile, name: String, records: [TensorRecord]?) throws -> File {
    let known = records.map { Dictionary($0.map { ($0.name, $0) }) { first, _ in first } }
    let tensors = try file.names.map { name in
      let record = TensorRecord(
        name: name, type: try file.type(of: name).rawValue, shape: try file.shape(of: name),
        digest: try file.digest(of: name))
      let bytes = try file.withBytes(of: name) { $0.count }
      return Tensor(
        name: name, type: record.type, shape: record.shape, bytes: bytes, digest: record.digest,
        isWhole: known.map { $0[name] == record } ?? (file.isChecked ? true : nil))
    }
    let size = (try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int) ?? 0
    return File(name: name, bytes: size, tensors: tensors)
  }

  private init(weights path: String) throws {
    self.init(path: path, kind: .weights)
    let name = FilePath.name(of: path)
    // A checkpoint's file: its digests lie beside it.
    let parent = CheckpointFolder(path: FilePath.folder(of: path))
    var records: [TensorRecord]?
    if parent.step != nil, FileManager.default.fileExists(atPath: parent.file(CheckpointFolder.digestsName)) {
      let examination = try CheckpointExamination(parent)
      damage = examination.damage.filter { $0.file == name || $0.file == CheckpointFolder.digestsName }
      let document = examination.document
      records =
        switch name {
        case CheckpointFolder.modelName: document?.model
        case CheckpointFolder.optimizerName: document?.optimizer
        default: document?.classRows?.first { $0.file == name }?.tensors
        }
      // What is no tensor file is told about with its folder.
      guard name.hasSuffix(".safetensors") else {
        isWhole = damage.isEmpty
        return
      }
    }
    do {
      let file = try WeightSource.file(path)
      files = [try Self.describe(file, name: name, records: records)]
      // A file that says nothing of a network need not be of one.
      model =
        file.metadata[ModelFile.descriptionKey] == nil
        ? (try? ModelFile.description(of: file)).map(Model.init) : Model(try ModelFile.description(of: file))
    } catch let error as SafetensorsError {
      let place = error.offset.map { " (byte \($0))" } ?? ""
      note(CheckpointDamage(name, tensor: error.tensor, error.reason + place))
    } catch let error as ModelFileError {
      note(CheckpointDamage(name, error.reason))
    }
    isWhole = damage.isEmpty
  }

  private mutating func note(_ found: CheckpointDamage) {
    if !damage.contains(found) { damage.append(found) }
  }

  private init(run path: String) throws {
    self.init(path: path, kind: .run)
    let store = CheckpointStore(run: path)
    let final = FilePath.join(path, CheckpointFolder.modelName)
    let hasModel = FileManager.default.fileExists(atPath: final)
    var members: [Member] = []
    var newest: CheckpointExamination?
    for folder in try store.folders() {
      let examination = try CheckpointExamination(folder)
      if examination.isWhole { newest = examination }
      members.append(
        Member(name: folder.name, step: folder.step, isWhole: examination.isWhole, damage: examination.damage))
    }
    guard hasModel || !members.isEmpty || FileManager.default.fileExists(atPath: store.path) else {
      throw ModelFileError(
        path: path, reason: "is neither a run nor a checkpoint: it has no model.safetensors and no checkpoints")
    }
    checkpoints = members
    setAside = try store.setAside().map(\.name)
    if let newest { try describe(newest) }
    if hasModel {
      let model = try Inspection(weights: final)
      // The files listed are those of one place: the finished model where there is one.
      (files, damage) = (model.files, model.damage)
      self.model = model.model ?? self.model
    }
    isWhole = damage.isEmpty && members.allSatisfy(\.isWhole)
  }
}
