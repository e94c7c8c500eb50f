package import Files
import Foundation

/// Image files named one by one, of people unknown: those of a list of pairs.
///
/// All have label 0; the truth about pairs stands in their list.
package struct ImageList: ImageFiles {
  package let location: String
  /// Paths below `location`.
  private let names: NameColumn
  package let notes: [String]

  /// - Parameter root: the folder from which messages name the files, if all `paths` begin with it.
  package init(_ paths: [String], root: String, notes: [String] = []) {
    self.notes = notes
    let prefix = root.utf8.last == UInt8(ascii: "/") ? root : root + "/"
    let areBelow = paths.allSatisfy { $0.utf8.starts(with: prefix.utf8) }
    let start = areBelow ? prefix : "/"
    location = String(Substring(start.utf8.dropLast()))
    let current = FileManager.default.currentDirectoryPath
    var names = NameColumn.Builder()
    for path in paths {
      let whole = areBelow || FilePath.isAbsolute(path) ? path : current + "/" + path
      names.append(String(Substring(whole.utf8.dropFirst(start.utf8.count))))
    }
    self.names = NameColumn(names)
  }

  package var count: Int { names.count }
  package var classNames: [Name] { [""] }

  package func label(of sample: Int) -> Int { 0 }

  package func identifier(of sample: Int) -> String { names[sample] }

  package func path(of sample: Int) -> String { location + "/" + names[sample] }
}
