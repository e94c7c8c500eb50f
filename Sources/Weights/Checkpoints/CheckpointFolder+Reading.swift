import Files
import Foundation

/// Reading by `read` alone: a disk that fails gives an error there, where mapped memory would end the process.
extension CheckpointFolder {
  /// A file opened for reading that is closed with the value.
  private struct OpenFile: ~Copyable {
    let descriptor: CInt
    let path: String
    let name: String
    let size: Int

    /// Throws `CheckpointDamage` where the file is missing or is no file, `FileError` where it cannot be opened.
    init(_ folder: CheckpointFolder, _ name: String) throws {
      let path = folder.file(name)
      let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
      guard descriptor >= 0 else {
        if errno == ENOENT { throw CheckpointDamage(name, "the file is missing") }
        throw FileError("open", path)
      }
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        close(descriptor)
        throw CheckpointDamage(name, "not a file")
      }
      self.descriptor = descriptor
      self.path = path
      self.name = name
      size = status.st_size
    }

    /// Fills `buffer` from where the last call ended; fewer bytes only at the file's end.
    func read(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
      var filled = 0
      while filled < buffer.count {
        let count = Foundation.read(descriptor, buffer.baseAddress! + filled, buffer.count - filled)
        if count == 0 { break }
        if count > 0 {
          filled += count
          Heartbeat.beat()
        } else if errno == EIO {
          throw CheckpointDamage(name, "the disk cannot read it: \(FileError("read", path))")
        } else if errno != EINTR {
          throw FileError("read", path)
        }
      }
      return filled
    }

    deinit { close(descriptor) }
  }

  /// A small file whole; `limit` is what it may have in bytes.
  func read(_ name: String, limit: Int) throws -> Data {
    let file = try OpenFile(self, name)
    guard file.size <= limit else {
      throw CheckpointDamage(name, "\(file.size) bytes, where at most \(limit) are possible")
    }
    var data = Data(count: file.size)
    let count = try data.withUnsafeMutableBytes { try file.read($0) }
    return data.prefix(count)
  }

  /// Digest and size of a file, in one pass over its bytes.
  func digest(of name: String) throws -> (digest: Digest, bytes: Int) {
    let file = try OpenFile(self, name)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    var stream = DigestStream()
    var bytes = 0
    while true {
      let count = try file.read(buffer)
      stream.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      bytes += count
      if count < buffer.count { return (stream.digest, bytes) }
    }
  }
}
