package import Files
import Foundation

/// Where weights come from, for every command: a weight file (safetensors, PyTorch's, ONNX), a checkpoint, or a run, whose
/// finished model counts, else its newest whole checkpoint.
package enum WeightSource {
  /// Opens a file of weights by the ending of its name, or if that is another than .onnx by what it holds. Changes nothing on
  /// the disk.
  static func file(_ path: String) throws -> SafetensorsFile {
    OnnxWeights.isOne(path) ? try OnnxWeights.read(path) : try SafetensorsFile(path: path)
  }

  /// Opens the file with the weights; a checkpoint is checked to its last byte first. Changes nothing on the disk.
  ///
  /// - Throws: `FileError`, `SafetensorsError`, `CheckpointError`, or `ModelFileError` for a folder without any of these.
  package static func open(_ path: String) throws -> SafetensorsFile {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    // Of a file only the name of its folder says that it is a checkpoint's.
    let folder = CheckpointFolder(path: isFolder.boolValue ? path : FilePath.folder(of: path))
    if exists, CheckpointStore.isLeftover(folder.name) {
      throw ModelFileError(
        path: folder.path, reason: "is half a checkpoint, left by a program that was killed: give a whole one")
    }
    guard isFolder.boolValue else {
      return exists && folder.step != nil ? try Checkpoint(path: folder.path).model : try file(path)
    }
    if CheckpointFolder.isCheckpoint(path) { return try Checkpoint(path: path).model }
    let finished = FilePath.join(path, CheckpointFolder.modelName)
    if FileManager.default.fileExists(atPath: finished) { return try SafetensorsFile(path: finished) }
    for folder in try CheckpointStore(run: path).folders().reversed() {
      let examination = try CheckpointExamination(folder)
      if examination.isWhole { return try Checkpoint(examination).model }
    }
    throw ModelFileError(
      path: path,
      reason: "is a folder without a \(CheckpointFolder.modelName) and without a whole checkpoint: give a run")
  }
}
