import Glibc

/// A file mapped read-only: its bytes come from the page cache, shared by all ranks of a node, as they are asked for.
///
/// The file must not shrink while it is mapped: the process would end with its name (see `MappedRegions`).
package final class MappedFile: Sendable {
  package let path: String
  /// Valid as long as this object, which may end after its last use in the text: hold it by `withExtendedLifetime`.
  nonisolated(unsafe) package let bytes: UnsafeRawBufferPointer

  /// - Throws: `DataError` where the file is missing, no file, or may not be read.
  ///
  /// The corresponding C function is `mmap`.
  package init(path: String) throws(DataError) {
    // O_NONBLOCK: a pipe of this name must not make us wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw DataError(path, "it cannot be opened: \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw DataError(path, "its size cannot be read: \(String(cString: strerror(errno)))")
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw DataError(path, "it is not a file") }
    self.path = path
    guard status.st_size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let bytes = MappedRegions.map(descriptor, size: Int(status.st_size), path: path) else {
      throw DataError(path, "it cannot be mapped: \(String(cString: strerror(errno)))")
    }
    self.bytes = bytes
  }

  /// From here on read in no order: the kernel shall not read ahead.
  package func expectRandomReads() {
    guard let address = bytes.baseAddress else { return }
    madvise(UnsafeMutableRawPointer(mutating: address), bytes.count, MADV_RANDOM)
  }

  deinit {
    if bytes.baseAddress != nil { MappedRegions.unmap(bytes) }
  }
}
