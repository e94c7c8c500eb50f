import Foundation

/// Keeps a second program from the same files at the same time: two would overwrite each other's.
///
/// The lock goes with the process, however it ends. A file system that has no locks (some network ones) gives none.
/// The corresponding C function is `flock`.
package final class FileLock {
  private let path: String
  private let isRemoved: Bool
  private let descriptor: CInt

  /// - Parameters:
  ///   - path: a file for the lock alone, which says who holds it.
  ///   - isRemoved: removes the file at the end.
  ///   - refusal: what is thrown where another process holds the lock, made of that process's name.
  /// - Throws: `refusal`; `FileError`.
  package init(_ path: String, isRemoved: Bool = false, refusal: (_ holder: String) -> any Error) throws {
    (self.path, self.isRemoved) = (path, isRemoved)
    while true {
      let descriptor = try OutputFile.open(path, O_RDWR | O_CREAT, "lock")
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
        // The one before may have removed the file between our two calls: then nobody else would find this lock.
        guard Self.isSameFile(descriptor, path) else {
          close(descriptor)
          continue
        }
        let holder = "process \(getpid()) on \(ProcessInfo.processInfo.hostName)"
        // For the message alone: a full disk is met, and told about, elsewhere.
        ftruncate(descriptor, 0)
        _ = holder.utf8CString.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count - 1, 0) }
      } else if errno == EWOULDBLOCK {
        let holder = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        close(descriptor)
        throw refusal(holder.isEmpty ? "another process" : holder)
      }
      self.descriptor = descriptor
      return
    }
  }

  deinit {
    if isRemoved { unlink(path) }
    close(descriptor)
  }

  private static func isSameFile(_ descriptor: CInt, _ path: String) -> Bool {
    var (own, named) = (stat(), stat())
    return fstat(descriptor, &own) == 0 && lstat(path, &named) == 0 && own.st_dev == named.st_dev
      && own.st_ino == named.st_ino
  }
}
