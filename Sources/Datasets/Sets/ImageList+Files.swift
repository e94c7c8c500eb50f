import Files
import Foundation

extension ImageList {
  /// What `path` names: a folder, whose images are taken at any depth, or a text file with the path of an image a line,
  /// as `DelimitedText` reads lines.
  ///
  /// Images are sorted by the bytes of their paths. Relative paths of a list start from its own folder.
  ///
  /// - Throws: `DataError` where there is no image, or a name that no list can hold.
  package init(at path: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw DataError(path, "there is no such folder or list", remedy: "Check the path; every host must see it.")
    }
    let root = FilePath.withoutFinalSlash(path)
    guard isFolder.boolValue else {
      try self.init(list: DelimitedText(path: root))
      return
    }
    var paths: [Name] = []
    var passedOver = PassedOver()
    try Self.collect(root, ancestors: [], into: &paths, &passedOver)
    guard !paths.isEmpty else {
      throw DataError(
        path,
        "no image (\(ImageEnding.list)) in this folder or below it" + (passedOver.text.map { ", but \($0)" } ?? ""))
    }
    self.init(paths.sorted().map(\.text), root: root, notes: passedOver.note(of: root))
  }

  private init(list: DelimitedText) throws(DataError) {
    let folder = FilePath.split(list.path).folder
    func path(_ name: String) -> String {
      FilePath.isAbsolute(name) ? name : folder == "/" ? "/" + name : folder + "/" + name
    }
    var fields: [DelimitedText.Field] = []
    var names: [String] = []
    let rows = list.rows
    for row in rows {
      list.fields(list.lines[row], .none, into: &fields)
      names.append(try list.string(fields[0], row))
    }
    var notes: [String] = []
    // A word that names no file, before names of images.
    if let first = names.first, names.count > 1, !first.utf8.contains(where: { $0 == 46 || $0 == 47 }),
      names[1...min(100, names.count - 1)].allSatisfy({ DirectoryListing.isImage($0.utf8) }),
      FilePath.kind(path(first)) == .missing
    {
      notes = [list.titleNote(rows[0])]
      names.removeFirst()
    }
    guard !names.isEmpty else { throw DataError(list.path, "the list names no image") }
    let paths = names.map { Name(path($0)) }.sorted()
    if let twice = zip(paths, paths.dropFirst()).first(where: { $0 == $1 })?.0 {
      throw DataError(list.path, "it names \(twice) twice", remedy: "Each image has one row: name it once.")
    }
    self.init(paths.map(\.text), root: folder, notes: notes)
  }

  /// Adds the images in `folder` and below it. `ancestors` are the folders that hold it, so that a loop of links ends.
  private static func collect(
    _ folder: String, ancestors: [[UInt64]], into paths: inout [Name], _ passedOver: inout PassedOver
  ) throws {
    var status = stat()
    guard stat(folder, &status) == 0 else { throw FileError("read the folder", folder) }
    let identity = [UInt64(status.st_dev), UInt64(status.st_ino)]
    guard !ancestors.contains(identity) else {
      throw DataError(folder, "this link leads back to a folder that holds it", remedy: "Remove it.")
    }
    let listing = try DirectoryListing(path: folder)
    for entry in listing.entries {
      // A pipe or device of such a name is an image that cannot be read, named when its turn comes.
      guard entry.kind == .folder || listing.isImage(entry) else {
        passedOver.add(entry, of: listing)
        continue
      }
      guard let name = String(validating: listing.name(of: entry), as: UTF8.self),
        !name.contains(where: \.isNewline)
      else {
        let shown = Name.text(of: listing.name(of: entry))
        throw DataError("\(folder)/\(shown)", "this name is not one line of UTF-8", remedy: "Rename it.")
      }
      if entry.kind == .folder {
        try collect("\(folder)/\(name)", ancestors: ancestors + [identity], into: &paths, &passedOver)
      } else {
        paths.append(Name("\(folder)/\(name)"))
      }
    }
  }
}
