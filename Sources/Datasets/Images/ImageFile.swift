import Files
import Glibc

/// An image file still encoded, by its path as a C string.
struct ImageFile {
  /// Larger files are no photographs of faces; reading one would fill the memory.
  private static let maximumBytes = 256 << 20

  let path: UnsafePointer<CChar>

  /// Bytes of the file, without reading it.
  func size() throws(DataError) -> Int {
    var status = stat()
    guard stat(path, &status) == 0 else { throw unreadable(String(cString: strerror(errno))) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw unreadable("it is not a file") }
    return Int(status.st_size)
  }

  /// Calls `body` with the file's bytes, which lie in `scratch`.
  func withBytes<Result>(scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    // A pipe put in the image's place since the folder was listed must not make a worker wait.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw unreadable(String(cString: strerror(errno))) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw unreadable(String(cString: strerror(errno))) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw unreadable("it is not a file") }
    let size = Int(status.st_size)
    guard size > 0 else { throw unreadable("the file is empty (0 bytes)") }
    guard size <= Self.maximumBytes else { throw unreadable("its \(size) bytes are more than \(Self.maximumBytes)") }
    let buffer = scratch.reserve(size)
    var done = 0
    while done < size {
      let got = read(file, buffer.baseAddress! + done, size - done)
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw unreadable(String(cString: strerror(errno))) }
      guard got > 0 else { throw unreadable("it ended after \(done) of \(size) bytes") }
      done += got
    }
    Heartbeat.beat()
    return try body(UnsafeRawBufferPointer(buffer))
  }

  private func unreadable(_ reason: String) -> DataError {
    DataError(String(cString: path), "the image cannot be read: \(reason)")
  }
}
