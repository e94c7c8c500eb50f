import Files
import Glibc

/// The file `property` beside InsightFace's `train.rec`: `classes,height,width`.
struct RecordProperty: Equatable {
  let classes: Int
  let height: Int
  let width: Int

  var text: String { "\(classes),\(height),\(width)\n" }

  /// The property of the set whose .rec this is; nil where there is none, or where it belongs to another of its folder.
  static func beside(_ record: String) throws(DataError) -> RecordProperty? {
    let (folder, name) = FilePath.split(record)
    let path = "\(folder)/property"
    guard access(path, F_OK) == 0 else { return nil }
    if name != "train.rec" {
      let listing = try DirectoryListing(path: folder)
      let records = listing.entries.count { listing.name(of: $0).suffix(4).elementsEqual(".rec".utf8) }
      guard records == 1 else { return nil }
    }
    let fields: [Int]
    do {
      let text = try DelimitedText(path: path)
      var parts: [DelimitedText.Field] = []
      if let row = text.rows.first { text.fields(text.lines[row], .comma, into: &parts) }
      fields = parts.map { text.integer($0) ?? -1 }
    } catch { throw (error as? DataError) ?? DataError(path, "it cannot be read: \(error)") }
    guard fields.count == 3, fields.allSatisfy({ (1...Int(Int32.max)).contains($0) }) else {
      throw DataError(
        path, "it is not 'classes,height,width'", remedy: "Mend it or take it away: a .rec can be read without.")
    }
    return RecordProperty(classes: fields[0], height: fields[1], width: fields[2])
  }
}
