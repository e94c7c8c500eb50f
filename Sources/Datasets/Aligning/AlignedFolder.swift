import Files
import Foundation
import Synchronization

/// The folder that aligned faces are written into, and nothing beside it: no link in it leads elsewhere.
final class AlignedFolder: Sendable {
  /// Without links.
  private let root: String
  /// Folders that are known to be there, and to lie inside.
  private let known = Mutex<Set<Name>>([])

  /// - Throws: `DataError` where it is the folder of the photographs itself.
  init(path: String, isNot images: String) throws(DataError) {
    guard let root = Self.resolved(path) else { throw DataError(path, "the folder cannot be found") }
    guard Name(root) != Self.resolved(images).map({ Name($0) }) else {
      throw DataError(path, "the aligned faces would take the photographs' place", remedy: "Choose another folder.")
    }
    self.root = root
  }

  /// The path of the file `name`, whose folder is made where it is not there.
  ///
  /// - Throws: `DataError` where the folder cannot be made, or a link leads out of ours.
  func path(of name: String) throws(DataError) -> String {
    let path = "\(root)/\(name)"
    let folder = Name(FilePath.split(path).folder)
    if known.withLock({ $0.contains(folder) }) { return path }
    // Each part in turn: none may be made behind a link.
    var whole = root
    for part in FilePath.parts(name).dropLast() {
      whole += "/\(part)"
      if mkdir(whole, 0o777) != 0 && errno != EEXIST {
        throw DataError(whole, "the folder '\(whole)' cannot be made: \(String(cString: strerror(errno)))")
      }
      guard Self.resolved(whole)?.utf8.starts(with: (root + "/").utf8) == true else {
        throw DataError(whole, "'\(whole)' leads out of the folder of the aligned faces")
      }
    }
    known.withLock { _ = $0.insert(folder) }
    return path
  }

  /// The corresponding C function is `realpath`.
  private static func resolved(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
