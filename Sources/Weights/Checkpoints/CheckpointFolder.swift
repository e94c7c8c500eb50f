import Files
import Foundation

/// One checkpoint on disk, `RUN/checkpoints/step-00001200`:
///
///     model.safetensors       parameters, running statistics, class weight: a model as ModelFile writes it
///     optimizer.safetensors   the optimizer's states, such as "momentum.NAME"
///     state.json              CheckpointDocument
///     digests.xxh128          digests of all files, as `xxhsum -H2` writes and `xxhsum -c` checks them
///
/// With the class weight divided among ranks `model.safetensors` has none. Its rows are then in
///
///     classWeight-00001-of-00002.safetensors ...      a file for each rank: rows and their states
///     model.safetensors.index.json                    which file holds which tensor
package struct CheckpointFolder: Equatable, Sendable {
  package let path: String
  /// Steps trained, by the folder's name; nil where it has another (a copy that somebody made).
  package let step: Int?

  package static let modelName = "model.safetensors"
  package static let optimizerName = "optimizer.safetensors"
  package static let stateName = "state.json"
  package static let digestsName = "digests.xxh128"
  package static let indexName = "model.safetensors.index.json"

  /// What `digests.xxh128` lists; `parts` files hold the class weight's rows, none where it is whole.
  static func digestedNames(parts: Int) -> [String] {
    let rows = (0..<parts).map { ClassRowsRecord.fileName($0, of: parts) }
    return [modelName, optimizerName] + rows + (parts > 0 ? [indexName] : []) + [stateName]
  }

  package init(path: String) {
    self.path = path
    step = Self.step(ofName: FilePath.name(of: path))
  }

  package var name: String { FilePath.name(of: path) }

  package func file(_ name: String) -> String { FilePath.join(path, name) }

  /// "step-00001200"
  package static func name(step: Int) -> String {
    precondition(step >= 0, "A checkpoint after \(step) steps")
    return "step-" + step.digits(8)
  }

  /// The step of a checkpoint's name; nil for any other name.
  package static func step(ofName name: String) -> Int? {
    guard let match = name.wholeMatch(of: /step-([0-9]{8,18})/), let step = Int(match.1), Self.name(step: step) == name
    else { return nil }
    return step
  }

  /// Whether `path` is a checkpoint rather than a run: it has one of the files that only checkpoints have.
  package static func isCheckpoint(_ path: String) -> Bool {
    let folder = CheckpointFolder(path: path)
    return folder.step != nil
      || [stateName, digestsName, optimizerName].contains { FileManager.default.fileExists(atPath: folder.file($0)) }
  }
}
