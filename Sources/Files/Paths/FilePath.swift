import Glibc

/// Paths as text.
package enum FilePath {
  /// Bytes of the longest path that Linux opens: what is longer in a list was never a path, nor is it shown in a message.
  package static let maximumLength = 4095

  /// `("a/b", "c.rec")` of `a/b/c.rec`; `(".", "c.rec")` of `c.rec`.
  package static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    let folder = slash == path.utf8.startIndex ? "/" : String(path[..<slash])
    return (folder, String(path[path.utf8.index(after: slash)...]))
  }

  /// `a/b.idx` of `a/b.rec`; the ending is put behind a name that has none.
  package static func replacingEnding(of path: String, by ending: String) -> String {
    withoutEnding(path) + ending
  }
}

extension FilePath {
  /// Whether something has this name, a link that leads nowhere included.
  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }
}

extension FilePath {
  /// The path without links; as it is where it leads nowhere.
  ///
  /// The corresponding C function is `realpath`.
  package static func resolved(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

extension FilePath {
  /// Makes a folder and those above it, durably: each has its entry in the one above on disk. One that is there already
  /// is as good.
  ///
  /// The corresponding C functions are `mkdir` and `fsync`.
  package static func makeFolder(_ path: String, _ operation: String = "make the folder") throws(FileError) {
    let path = withoutFinalSlash(path)
    if kind(path) == .folder { return }
    let (parent, name) = split(path)
    if !name.isEmpty && kind(parent) == .missing { try makeFolder(parent, operation) }
    if mkdir(path, 0o777) != 0 {
      let code = errno
      guard kind(path) == .folder else { throw FileError(operation, path, code: code) }
    }
    // Also where another has made it just now, and may not have come as far as this.
    try AtomicFile.synchronizeFolder(parent)
  }
}

extension FilePath {
  package enum Kind {
    case folder
    /// Whatever else is there.
    case file
    case missing
  }

  /// Whether there is something, links followed.
  ///
  /// - Throws: `FileError` where that cannot be told, as on a network's storage that fails: nobody may take what is there for
  ///   absent, and begin anew over it.
  package static func isThere(_ path: String) throws(FileError) -> Bool {
    var status = stat()
    if stat(path, &status) == 0 { return true }
    guard errno == ENOENT || errno == ENOTDIR else { throw FileError("look for", path) }
    return false
  }

  /// What a path leads to, links followed.
  package static func kind(_ path: String) -> Kind {
    var status = stat()
    guard stat(path, &status) == 0 else { return .missing }
    return status.st_mode & S_IFMT == S_IFDIR ? .folder : .file
  }
}
