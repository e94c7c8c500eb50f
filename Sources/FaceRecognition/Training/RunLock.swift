import Foundation

/// Keeps a second program from training the same run at the same time: two would overwrite each other's files.
///
/// The lock goes with the process, however it ends. A file system that has no locks (some network ones) gives none.
/// The corresponding C function is `flock`.
final class RunLock {
  private let descriptor: CInt

  /// - Throws: `TrainingError.runIsInUse`, `FileError`
  init(_ folder: RunFolder) throws {
    let path = folder.file(".lock")
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError("open", path) }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
      let holder = "process \(getpid()) on \(ProcessInfo.processInfo.hostName)"
      // For the message alone: a full disk is met, and told about, elsewhere.
      ftruncate(descriptor, 0)
      _ = holder.utf8CString.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count - 1, 0) }
    } else if errno == EWOULDBLOCK {
      let holder = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
      throw TrainingError.runIsInUse(folder.path, by: holder.isEmpty ? "another process" : holder)
    }
  }

  deinit { close(descriptor) }
}
