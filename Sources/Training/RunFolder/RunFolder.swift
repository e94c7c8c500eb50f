import Files
import Foundation
import Inference
import Weights

/// The folder that a run writes to.
package struct RunFolder: Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  package var model: String { file("model.safetensors") }
  /// The model as it was after its best validation.
  package var best: String { file("best.safetensors") }
  package var metrics: String { file("metrics.jsonl") }
  package var configuration: String { file("configuration.json") }
  /// Which images each step trained on, where that is asked for.
  package var samples: String { file("samples.jsonl") }
  /// The same for `train --config`.
  package var optionFile: String { file("run.yaml") }
  /// One line for each start of the run: where it ran.
  package var starts: String { file("starts.jsonl") }
  /// Folder of TensorBoard's event files.
  package var tensorboard: String { file("tensorboard") }

  package func file(_ name: String) -> String { FilePath.join(path, name) }

  /// Refuses a folder that already holds a run.
  ///
  /// - Parameter mayBegin: whether a run without checkpoint and model does not count.
  package func refuseRun(mayBegin: Bool) throws {
    var signs = [model]
    if mayBegin {
      let store = CheckpointStore(run: path)
      signs += try (store.folders() + store.setAside()).map(\.path)
    } else {
      signs += [best, metrics, configuration, samples, starts, tensorboard, file("checkpoints")]
    }
    guard try !signs.contains(where: FilePath.isThere) else {
      throw TrainingError.outputHoldsRun(path)
    }
  }

  /// Makes the folder and tries it out.
  package func create() throws {
    try FilePath.makeFolder(path, "make the run's folder")
    // Fails now rather than after the first epoch where nothing can be written.
    try AtomicFile.tryOut(metrics)
  }

  /// Removes the files of a run that ended before its first checkpoint, once `refuseRun` has let it pass. Under the run's
  /// lock: another process may just have begun it.
  func clear() throws {
    for path in [best, VerificationThreshold.path(beside: best), metrics, configuration, samples, starts, tensorboard]
    where FilePath.exists(path) {
      try FileManager.default.removeItem(atPath: path)
    }
  }
}

extension TrainingOptions {
  /// Names and values, to compare ranks by.
  package func named() throws -> [(name: String, value: String)] {
    let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(self)) as? [String: Any] ?? [:]
    return object.sorted { $0.key < $1.key }.map { ("option \($0.key)", "\($0.value)") }
  }

  /// Writes all options as JSON, defaults included.
  package func write(to path: String) throws {
    try AtomicFile.write(JSONText.indented(self), to: path)
  }
}
