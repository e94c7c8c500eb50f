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
      if let input = inputs.compactMap(\.self).first(where: { isReplaced($0, by: file) }) {
        throw DataError(
          file, "it is the input '\(input.printableName)', which writing would replace", remedy: "Give another name.")
      }
      guard !files[..<number].contains(where: { place($0) == place(file) }) else {
        throw DataError(file, "two outputs would be this file", remedy: "Give each a name of its own.")
      }
    }
  }

  /// Whether a file that gets the name `output` takes the place of what `input` leads to. A link of that name is
  /// replaced, and not what it leads to.
  private static func isReplaced(_ input: String, by output: String) -> Bool {
    var (first, second) = (stat(), stat())
    if stat(input, &first) == 0, lstat(output, &second) == 0 {
      return first.st_ino == second.st_ino && first.st_dev == second.st_dev
    }
    return place(input) == place(output)
  }

  private static func place(_ path: String) -> [Name] {
    let (folder, name) = FilePath.split(path)
    return [Name(FilePath.resolved(folder)), Name(name)]
  }
}
