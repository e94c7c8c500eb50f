package import Files

/// Opens labelled images of any form that users have.
package enum ImageSet {
  /// What `path` names: a folder of people, a .rec or a folder that holds `train.rec`, or a list of files.
  ///
  /// - Throws: `DataError`
  package static func open(_ path: String) throws -> any ImageSource {
    let path = FilePath.withoutFinalSlash(path)
    switch FilePath.kind(path) {
    case .folder: return try record(in: path).map { try RecordSet(path: $0) } ?? ImageFolder(root: path)
    case .file where FilePath.hasEnding(".rec", path): return try RecordSet(path: path)
    case .file where FilePath.hasEnding(".bin", path):
      throw DataError(
        path, "a .bin holds pairs without people: it can evaluate a network by its pairs, and nothing else",
        remedy: "Give it to --validation, or to evaluate --data.")
    case .file:
      guard [".lst", ".txt", ".csv", ".tsv"].contains(where: { FilePath.hasEnding($0, path) }) else {
        throw DataError(
          path, "this is no set of images",
          remedy: "Give a folder of people (NAME/IMAGE), a .rec, or a list of files (.lst, .txt, .csv, .tsv).")
      }
      return try LabelledList(path: path)
    case .missing:
      throw DataError(path, "there is no such file or folder", remedy: "Check the path; every host must see it.")
    }
  }

  /// Images whose people nobody asks for: a folder at any depth, a list of paths, with people or without, a .rec or a folder
  /// that holds `train.rec`.
  ///
  /// Those of a .rec or a list with people are in its order, others sorted by their paths.
  ///
  /// - Throws: `DataError`
  package static func images(at path: String) throws -> any ImageSource {
    let record =
      FilePath.kind(path) == .folder ? record(in: path) : FilePath.hasEnding(".rec", path) ? path : nil
    if let record { return try RecordSet(path: record) }
    guard !FilePath.hasEnding(".bin", path) else {
      throw DataError(
        path, "an image of a .bin has no name, and stands in several pairs",
        remedy: "Unpack it, 'cosface dataset unpack \(path) DIR', and give the folder.")
    }
    let plain = Result { try ImageList(at: path) }
    if FilePath.kind(path) == .file, !((try? plain.get()).map { FilePath.kind($0.path(of: 0)) != .missing } ?? false),
      let list = try? LabelledList(path: path), FilePath.kind(list.path(of: 0)) == .file
    {
      return list
    }
    return try plain.get()
  }

  /// The images of all `paths`, each opened by `images(at:)`, as one set without people.
  ///
  /// - Throws: `DataError`
  package static func unlabelled(paths: [String]) throws -> any ImageSource {
    let sets = try paths.map(images)
    return UnlabelledImages(of: sets.count == 1 ? sets[0] : try ImageUnion(sets, joinsPeople: false))
  }

  /// The .rec that a folder stands for.
  package static func record(in folder: String) -> String? {
    let record = "\(folder)/train.rec"
    return FilePath.exists(record) ? record : nil
  }

  /// Refuses a set that is named twice: its people would be trained as others than themselves, its images doubly.
  ///
  /// - Throws: `DataError`
  package static func refuseRepetition(_ paths: [String]) throws(DataError) {
    var known: [Name: Name] = [:]
    for path in paths {
      let file = FilePath.kind(path) == .folder ? record(in: path) ?? path : path
      guard let other = known.updateValue(Name(path), forKey: Name(FilePath.resolved(file))) else { continue }
      throw DataError(
        path, other == Name(path) ? "the set is given twice" : "this is the set that was given as \(other)",
        remedy: "Give each set once.")
    }
  }
}
