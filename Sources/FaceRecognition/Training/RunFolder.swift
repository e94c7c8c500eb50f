import Foundation

/// The folder that a run writes to.
package struct RunFolder: Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  package var model: String { file("model.safetensors") }
  package var metrics: String { file("metrics.jsonl") }
  package var configuration: String { file("configuration.json") }
  /// One line for each start of the run: where it ran.
  package var starts: String { file("starts.jsonl") }
  /// Folder of TensorBoard's event files.
  package var tensorboard: String { file("tensorboard") }

  package func file(_ name: String) -> String { (path as NSString).appendingPathComponent(name) }

  /// Makes the folder and tries it out; refuses one that already holds a run.
  package func create() throws {
    let manager = FileManager.default
    do {
      try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch { throw FileError("creating the run's folder", path, code: Self.code(of: error)) }
    if [model, metrics, configuration, starts, tensorboard, file("checkpoints")].contains(
      where: manager.fileExists(atPath:))
    {
      throw TrainingError.outputHoldsRun(path)
    }
    // Fails now rather than after the first epoch where nothing can be written.
    let probe = file(".probe")
    try AtomicFile.write(Data(), to: probe)
    try? manager.removeItem(atPath: probe)
  }

  private static func code(of error: any Error) -> CInt {
    let error = error as NSError
    let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError
    if let underlying, underlying.domain == NSPOSIXErrorDomain { return CInt(underlying.code) }
    return error.code == CocoaError.fileWriteFileExists.rawValue ? EEXIST : EACCES
  }
}
