package import Files

/// The pairs that a verification compares, and the image files that they name.
///
/// Two formats are read, as `DelimitedText` reads lines:
/// - LFW's (http://vis-www.cs.umass.edu/lfw/README.txt): see `PairList+LFW.swift`;
/// - plain: `pathA pathB 1` a line, 1 for the same person and 0 for different ones; separated by tabs, else commas, else
///   blanks. Titles may stand in the first line, and one of `same`, `label` or the like says which field that is.
///
/// An image that is not there is listed in `absent`: whoever evaluates says how many may be.
package struct PairList: Sendable {
  /// The images in the order in which the pairs first name them.
  package private(set) var images: [String] = []
  package private(set) var pairs: [FacePair] = []
  /// The folds that the file itself prescribes: LFW's 10 (View 2), 1 for its development lists, 0 for a plain list.
  package internal(set) var foldCount = 0
  /// Images that are not there, each with the first line that names it.
  package internal(set) var absent: [(line: Int, image: String)] = []
  /// What was taken for titles, or found without a header.
  package internal(set) var notes: [String] = []

  let text: DelimitedText
  package let root: String
  private var indices: [Name: Int] = [:]

  /// The extensions that an image may have, tried in this order.
  static let extensions = ImageEnding.known

  /// Reads a list of either format. Relative names are below `root`.
  ///
  /// - Throws: `FileError` where the file cannot be read, `DataError` naming the line that is wrong.
  package init(path: String, root: String) throws {
    try self.init(DelimitedText(path: path), root: root)
  }

  package init(_ text: DelimitedText, root: String) throws(DataError) {
    (self.text, self.root) = (text, root)
    guard !text.lines.isEmpty else { throw DataError(text.path, "an empty list of pairs") }
    var rows = text.rows[...]
    // Some copies of LFW's lists have titles before the header, some behind it, some titles alone.
    let titles = takeTitles(&rows)
    if let line = rows.first, let header = Self.header(text, line) {
      rows.removeFirst()
      _ = takeTitles(&rows)
      try readLFW(rows, header: header, line: line)
    } else if isLFW(rows) {
      try readLFWWithoutHeader(rows)
    } else {
      try readPlain(rows, titles)
    }
    guard !pairs.isEmpty else { throw DataError(text.path, "a list without pairs") }
  }

  package var path: String { text.path }

  /// Takes a first line off that names columns: words alone, none of which is an image, with a line behind it.
  private mutating func takeTitles(_ rows: inout ArraySlice<Int>) -> ColumnTitles? {
    guard rows.count > 1, let row = rows.first else { return nil }
    let fields = self.fields(row)
    guard (3...4).contains(fields.count), fields.allSatisfy({ ColumnTitles.mayBeTitle($0, of: text) }),
      !fields.contains(where: { FilePath.kind("\(root)/\(text.shown($0))") == .file })
    else { return nil }
    notes.append(text.titleNote(row))
    rows.removeFirst()
    return ColumnTitles(fields, of: text)
  }

  private mutating func readPlain(_ rows: ArraySlice<Int>, _ titles: ColumnTitles?) throws(DataError) {
    let verdict = titles?.count == 3 ? titles?.column(ColumnTitles.same) ?? 2 : 2
    for row in rows {
      var parts: [String] = []
      for field in fields(row) { parts.append(try text.string(field, line: row + 1)) }
      guard parts.count == 3 else {
        throw error(
          row,
          "'pathA pathB 0|1' is needed, but there are \(parts.count) fields (put tabs around paths with blanks, or quotes)"
        )
      }
      let same = parts.remove(at: verdict)
      guard same == "0" || same == "1" else {
        throw error(
          row,
          "\(verdict == 2 ? "the last field" : "the field 'same'") is '\(same)', but 1 (the same person) or 0 is needed"
        )
      }
      guard !parts.contains("") else { throw error(row, "an empty field") }
      var places: [Int] = []
      for part in parts {
        let image = part.utf8.first == UInt8(ascii: "/") ? part : root + "/" + part
        let known = images.count
        places.append(index(of: image))
        if images.count > known, FilePath.kind(image) == .missing { absent.append((row + 1, image)) }
      }
      append(FacePair(places[0], places[1], same: same == "1"))
    }
  }

  /// The fields of a line; empty ones between tabs, which are repeated to make columns, and at the end, where spreadsheets
  /// put commas, are left out.
  func fields(_ row: Int) -> [DelimitedText.Field] {
    var fields: [DelimitedText.Field] = []
    let separator = text.separator(of: text.lines[row])
    text.fields(text.lines[row], separator, into: &fields)
    if separator == .tab { fields.removeAll { $0.isEmpty } }
    while let last = fields.last, last.isEmpty { fields.removeLast() }
    return fields
  }

  mutating func append(_ pair: FacePair) { pairs.append(pair) }

  /// The place of an image in `images`, where it is put if it is new.
  mutating func index(of image: String) -> Int {
    let name = Name(image)
    if let index = indices[name] { return index }
    indices[name] = images.count
    images.append(image)
    return images.count - 1
  }

  /// More images are absent than the `limit`: which ones, up to ten.
  package func absenceError(limit: Int) -> DataError {
    let named = absent.prefix(10).map { "\n  line \($0.line): there is no image '\($0.image)'" }.joined()
    return DataError(
      path,
      "\(absent.count) of \(images.count) images are not there, where \(limit) may be unreadable" + named
        + (absent.count > 10 ? "\n  and others" : ""))
  }

  func error(_ row: Int, _ reason: String) -> DataError { DataError(path, line: row + 1, reason) }
}

/// Two images and whether they show the same person.
package struct FacePair: Hashable, Sendable {
  /// Indices of images.
  package let first: Int
  package let second: Int
  package let same: Bool
  /// The part of a cross validation that the pair belongs to; 0 where there are none.
  package let fold: Int

  package init(_ first: Int, _ second: Int, same: Bool, fold: Int = 0) {
    self.first = first
    self.second = second
    self.same = same
    self.fold = fold
  }
}
