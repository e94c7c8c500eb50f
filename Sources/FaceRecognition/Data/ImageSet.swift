/// Opens labelled images of any form that users have.
package enum ImageSet {
  /// What `path` names: a folder of people, a .rec or a folder that holds `train.rec`, or a list of files.
  ///
  /// - Throws: `DataError`
  package static func open(_ path: String) throws -> any ImageSource {
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    switch FilePath.kind(path) {
    case .folder:
      let record = "\(path)/train.rec"
      return FilePath.exists(record) ? try RecordSet(path: record) : try ImageFolder(root: path)
    case .file where path.hasSuffix(".rec"): return try RecordSet(path: path)
    case .file where path.hasSuffix(".bin"):
      throw DataError(
        path, "a .bin holds pairs without people: it can judge a network, not train one",
        remedy: "Give it to --validation, or to evaluate.")
    case .file:
      guard [".lst", ".txt", ".csv", ".tsv"].contains(where: path.hasSuffix) else {
        throw DataError(
          path, "this is no set of images",
          remedy: "Give a folder of people (NAME/IMAGE), a .rec, or a list of files (.lst, .txt, .csv, .tsv).")
      }
      return try LabelledList(path: path)
    case .missing:
      throw DataError(path, "there is no such file or folder", remedy: "Check the path; every host must see it.")
    }
  }
}
