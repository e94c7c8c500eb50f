import Foundation

extension ModelFile {
  /// The weight file that a path stands for: the file itself, a finished run's model, or that of a checkpoint, every byte of
  /// which is checked first.
  ///
  /// - Throws: `CheckpointError.damaged`, or a `ModelFileError` for a folder without a model and for a checkpoint that was
  ///   never written to its end.
  static func weightFile(at path: String) throws -> String {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let folder = CheckpointFolder(path: isFolder.boolValue ? path : (path as NSString).deletingLastPathComponent)
    if exists, CheckpointStore.isLeftover(folder.name) {
      throw ModelFileError(
        path: folder.path, reason: "is half a checkpoint, left by a program that was killed: give a whole one")
    }
    // Of a file only the name of its folder says that it is a checkpoint's.
    if isFolder.boolValue ? CheckpointFolder.isCheckpoint(path) : folder.step != nil && exists {
      return try Checkpoint(path: folder.path).model.path
    }
    guard isFolder.boolValue else { return path }
    let model = folder.file(CheckpointFolder.modelName)
    guard FileManager.default.fileExists(atPath: model) else {
      let newest = try CheckpointStore(run: path).folders().last.map { ", or a checkpoint such as \($0.path)" } ?? ""
      throw ModelFileError(
        path: path, reason: "is a folder without a model.safetensors: give a run that trained to its end" + newest)
    }
    return model
  }
}
