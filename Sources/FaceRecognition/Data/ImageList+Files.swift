import Foundation

extension ImageList {
  /// What `path` names: a folder, whose images are taken at any depth, or a text file with the path of an image a line.
  ///
  /// Images are sorted by the bytes of their paths. Relative paths of a list start from its own folder; empty lines and lines
  /// that begin with # are passed over.
  ///
  /// - Throws: `DataError` where there is no image, or a name that no list can hold.
  package init(at path: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw DataError(path, "there is no such folder or list", remedy: "Check the path; every host must see it.")
    }
    let root = FilePath.withoutFinalSlash(path)
    var paths: [String]
    if isFolder.boolValue {
      paths = []
      try Self.collect(root, ancestors: [], into: &paths)
      guard !paths.isEmpty else {
        throw DataError(path, "no image (jpg, jpeg, png, pgm, ppm) in this folder or below it")
      }
      self.init(paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, root: root)
    } else {
      let folder = (root as NSString).deletingLastPathComponent
      paths = try Self.lines(of: root).map { line in
        guard line.utf8.count <= FilePath.maximumLength else {
          throw DataError(
            path, "it has a line of \(line.utf8.count) bytes, where a path has \(FilePath.maximumLength) at most",
            remedy: "One image's path a line is needed.")
        }
        return line.hasPrefix("/") || folder.isEmpty ? line : folder + "/" + line
      }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      if let twice = zip(paths, paths.dropFirst()).first(where: { $0 == $1 })?.0 {
        throw DataError(path, "it names \(twice) twice", remedy: "Each image has one row: name it once.")
      }
      self.init(paths, root: folder.isEmpty ? "." : folder)
    }
  }

  /// Adds the images in `folder` and below it. `ancestors` are the folders that hold it, so that a loop of links ends.
  private static func collect(_ folder: String, ancestors: [[UInt64]], into paths: inout [String]) throws {
    var status = stat()
    guard stat(folder, &status) == 0 else { throw FileError("read the folder", folder) }
    let identity = [UInt64(status.st_dev), UInt64(status.st_ino)]
    guard !ancestors.contains(identity) else {
      throw DataError(folder, "this link leads back to a folder that holds it", remedy: "Remove it.")
    }
    let listing = try DirectoryListing(path: folder)
    for entry in listing.entries {
      // A pipe or device of such a name is an image that cannot be read, named when its turn comes.
      guard entry.kind == .folder || listing.isImage(entry) else { continue }
      guard let name = String(validating: listing.name(of: entry), as: UTF8.self),
        !name.contains(where: \.isNewline)
      else {
        let shown = Name.text(of: listing.name(of: entry))
        throw DataError("\(folder)/\(shown)", "this name is not one line of UTF-8", remedy: "Rename it.")
      }
      if entry.kind == .folder {
        try collect("\(folder)/\(name)", ancestors: ancestors + [identity], into: &paths)
      } else {
        paths.append("\(folder)/\(name)")
      }
    }
  }

  private static func lines(of path: String) throws -> [String] {
    guard let data = FileManager.default.contents(atPath: path) else { throw FileError("read", path) }
    guard let text = String(validating: data, as: UTF8.self), !text.contains("\0") else {
      throw DataError(path, "it is neither a folder nor a list of images in UTF-8")
    }
    let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
    guard !lines.isEmpty else { throw DataError(path, "the list names no image") }
    return lines
  }
}
