import Glibc

/// Opens files to write, never through a symbolic link: what lies in an output folder may be somebody else's doing, and
/// the file that a link leads to would be overwritten. The folders on the way may be links.
package enum OutputFile {
  /// Opens `path` by `flags`, such as `O_WRONLY | O_APPEND | O_CREAT`.
  ///
  /// - Throws: `FileError`, also where `path` is a link, or no file.
  ///
  /// The corresponding C function is `open`.
  package static func open(_ path: String, _ flags: CInt, _ operation: String = "write") throws(FileError) -> CInt {
    // O_NONBLOCK: a pipe of this name must not make us wait for a reader. Files know no difference.
    let descriptor = Glibc.open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o666)
    guard descriptor >= 0 else { throw FileError(operation, path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw FileError(operation, path, code: EEXIST)
    }
    return descriptor
  }

  /// Makes a file where nothing is yet.
  package static func create(_ path: String) throws(FileError) -> CInt {
    try open(path, O_WRONLY | O_CREAT | O_EXCL, "create")
  }
}
