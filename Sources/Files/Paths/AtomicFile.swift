package import Foundation
import Synchronization

/// A file that appears under its name whole or not at all.
///
/// Bytes go to a temporary name in the same folder; `commit()` makes them durable and renames. A crash at any moment
/// leaves either the former file or the new one. Dropped without `commit()`, also by a thrown error, the temporary is
/// removed; only a kill leaves it behind, and its name (see `isTemporary`) tells it apart.
/// ```swift
/// let file = try AtomicFile(path: "run/report.json")
/// try file.write(bytes)
/// try file.commit()
/// ```
package struct AtomicFile: ~Copyable {
  package let path: String
  private let temporary: String
  private let descriptor: CInt
  private var committed = false

  /// Distinguishes files that one process writes at the same time.
  private static let serial = Atomic<Int>(0)

  /// Creates the temporary file beside `path`, whose folder must exist. A folder or a device is never replaced.
  package init(path: String) throws(FileError) {
    let (folder, name) = FilePath.split(path)
    var status = stat()
    let isThere = stat(path, &status) == 0
    guard !name.isEmpty, !isThere || status.st_mode & S_IFMT != S_IFDIR else {
      throw FileError("write", path, code: EISDIR)
    }
    guard !isThere || status.st_mode & S_IFMT == S_IFREG else { throw FileError("replace", path, code: EEXIST) }
    let number = Self.serial.add(1, ordering: .relaxed).newValue
    let temporary = "\(folder)/.\(name).\(getpid())-\(number).tmp"
    let descriptor: CInt
    do { descriptor = try OutputFile.create(temporary) } catch {
      throw FileError("create a file to write", path, code: error.code)
    }
    // Not before: a throw from a complete value would run `deinit`.
    self.path = path
    self.temporary = temporary
    self.descriptor = descriptor
  }

  /// Appends `bytes`.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try Self.write(bytes, to: descriptor, path: path)
  }

  /// Makes the bytes durable and gives the file its name.
  ///
  /// The corresponding C functions are `fsync`, `rename` and, for the folder's entry, `fsync` again.
  /// - Parameter durably: false leaves both to the operating system: for millions of files that can be made again.
  package consuming func commit(durably: Bool = true) throws(FileError) {
    guard !durably || fsync(descriptor) == 0 else { throw FileError("flush to disk", path) }
    guard rename(temporary, path) == 0 else { throw FileError("rename the finished file to", path) }
    committed = true
    guard durably else { return }
    try Self.synchronizeFolder(FilePath.split(path).folder)
  }

  deinit {
    close(descriptor)
    if !committed { unlink(temporary) }
  }

  /// Writes one file whole: `commit()` included.
  package static func write(_ data: Data, to path: String) throws(FileError) {
    let file = try AtomicFile(path: path)
    // A copy: `Data.withUnsafeBytes` cannot pass a typed error on.
    let bytes = Array(data)
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in try file.write(UnsafeRawBufferPointer(bytes)) }
    try file.commit()
  }

  /// Gives `path` the file that `write` makes, and may check, under the temporary name that it is given. Where it throws,
  /// what has the name stays.
  package static func replace<Result>(_ path: String, _ write: (_ temporary: String) throws -> Result) throws -> Result
  {
    let file = try AtomicFile(path: path)
    let result = try write(file.temporary)
    try file.commit()
    return result
  }

  /// Fails where `path` cannot be written: before the work is done that would be lost.
  package static func tryOut(_ path: String) throws(FileError) {
    _ = try AtomicFile(path: path)
  }

  /// Whether a file of this name is what a killed process left behind.
  package static func isTemporary(_ name: String) -> Bool {
    name.wholeMatch(of: /\..+\.[0-9]+-[0-9]+\.tmp/) != nil
  }

  /// Makes the entries of a folder durable: new names in it survive a power failure.
  package static func synchronizeFolder(_ folder: String) throws(FileError) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // One that may be written and not read: the system flushes it in its own time.
    if descriptor < 0 && errno == EACCES { return }
    guard descriptor >= 0 else { throw FileError("open the folder", folder) }
    defer { close(descriptor) }
    // EINVAL: a file system (some network ones) that has no such operation for folders.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw FileError("flush the folder", folder) }
  }

  /// Writes all of `bytes` to an open file, through interruptions and partial writes; `path` is for the message.
  package static func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: CInt, path: String
  ) throws(FileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // Pieces that slow storage takes in seconds: between them the watchdog sees that it goes on.
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(64 << 20))
      let count = Foundation.write(descriptor, piece.baseAddress, piece.count)
      if count < 0 {
        guard errno == EINTR else { throw FileError("write", path) }
      } else {
        rest = rest.dropFirst(count)
        Heartbeat.beat()
      }
    }
  }
}
