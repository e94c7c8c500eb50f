import Foundation

/// A call to the operating system that failed on a file: what was tried, where, why, and what to do about it.
package struct FileError: Error, Equatable, CustomStringConvertible {
  /// What was tried, as a verb that the message starts with: "write", "open", "rename".
  package let operation: String
  package let path: String
  /// The raw `errno`.
  package let code: CInt

  package init(_ operation: String, _ path: String, code: CInt = errno) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  package var description: String {
    let cause =
      code == ELOOP ? "a symbolic link is in the way, or links lead in a circle" : String(cString: strerror(code))
    let reason = "Cannot \(operation) '\(path.printableName)': \(cause) (errno \(code))."
    return advice.map { reason + " " + $0 } ?? reason
  }

  private var advice: String? {
    switch code {
    case ENOSPC: "The disk is full: make space or choose a folder on another disk."
    case EDQUOT: "The disk quota is used up: delete files of yours or choose a folder on another disk."
    case EFBIG: "The file would be larger than the file system or `ulimit -f` allows."
    case EACCES, EPERM: "Check the owner and the permissions of the folder."
    case EROFS: "The file system is read-only: choose another folder."
    case ENOENT: "Check that the path exists."
    case ENOTDIR: "A part of the path is a file where a folder is needed."
    case EISDIR, ENOTEMPTY, EEXIST: "Something else already has this name: move it away or choose another name."
    case ELOOP: "What a link leads to is never written over: remove the link, or choose another folder."
    case ENAMETOOLONG: "Choose a shorter name."
    case EMFILE, ENFILE: "Too many files are open: raise `ulimit -n`."
    case EIO: "The disk or the network behind it failed; what was read or written there cannot be trusted."
    default: nil
    }
  }
}
