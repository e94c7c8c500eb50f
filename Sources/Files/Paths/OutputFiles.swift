import Glibc

/// The files that a command writes when its work is done, tried before it: hours of work must not end at a wrong path.
package enum OutputFiles {
  /// Nothing is left behind, and what is there stays as it is.
  ///
  /// - Parameters:
  ///   - files: the files to write; nil for one that is not asked for.
  ///   - inputs: what the command reads: none of it may be replaced.
  /// - Throws: `FileError` where one cannot be written, `DataError` where one is an input, or two are the same file.
  package static func tryOut(_ files: [String?], inputs: [String?] = []) throws {
    let files = files.compactMap(\.self)
    for (number, file) in files.enumerated() {
      try AtomicFile.tryOut(file)
      if let input = inputs.compactMap(\.self).first(where: { isSame($0, file) }) {
        throw DataError(
          file, "it is the input '\(input.printableName)', which writing would replace", remedy: "Give another name.")
      }
      guard !files[..<number].contains(where: { isSame($0, file) }) else {
        throw DataError(file, "two outputs would be this file", remedy: "Give each a name of its own.")
      }
    }
  }

  /// Whether two paths lead to one file, be it there or not.
  private static func isSame(_ a: String, _ b: String) -> Bool {
    var (first, second) = (stat(), stat())
    if stat(a, &first) == 0, stat(b, &second) == 0 {
      return first.st_ino == second.st_ino && first.st_dev == second.st_dev
    }
    return place(a) == place(b)
  }

  private static func place(_ path: String) -> [Name] {
    let (folder, name) = FilePath.split(path)
    return [Name(FilePath.resolved(folder)), Name(name)]
  }
}
