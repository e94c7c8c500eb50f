package import Files
import VectorKernels

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

  /// The part of the file that is being read.
  private(set) var text: DelimitedText
  package let root: String
  private let checksFiles: Bool
  private var indices: [Name: Int] = [:]
  /// What lines call images, and which they are.
  private var spellings = NameIndex()
  private var spelled: [Int32] = []

  /// The extensions that an image may have, tried in this order.
  static let extensions = ImageEnding.known

  /// Reads a list of either format. Relative names are below `root`.
  ///
  /// - Throws: `FileError` where the file cannot be read, `DataError` naming the line that is wrong.
  package init(path: String, root: String) throws {
    try self.init(TextBlocks(path: path), root: root, part: 0, of: 1)
    guard !pairs.isEmpty else { throw emptiness }
  }

  package init(_ text: DelimitedText, root: String) throws(DataError) {
    self.init(reading: text, root: root, checksFiles: true)
    try read()
    guard !pairs.isEmpty else { throw emptiness }
  }

  /// Reads the `part`-th of `parts` parts of a list: those of a plain list are blocks of its lines, which nobody else reads;
  /// one of LFW's, which is short, is read whole and then divided. There may be no pair in a part.
  ///
  /// - Parameter checksFiles: whether to look for the images; who has no need of them does not.
  /// - Throws: as above.
  package init(_ blocks: TextBlocks, root: String, part: Int, of parts: Int, checksFiles: Bool = true) throws {
    self.init(reading: try blocks.text(0), root: root, checksFiles: checksFiles)
    var rows = text.rows[...]
    guard !text.lines.isEmpty || blocks.count > 1 else { throw DataError(text.path, "an empty list of pairs") }
    let titles = takeTitles(&rows)
    if rows.first.flatMap({ Self.header(text, $0) }) != nil || isLFW(rows) {
      self.init(reading: try blocks.whole(), root: root, checksFiles: checksFiles)
      try read()
      pairs = Array(pairs[Share.range(of: pairs.count, part, parts)])
      return
    }
    for block in Share.range(of: blocks.count, part, parts) {
      if block > 0 {
        text = try blocks.text(block)
        rows = text.rows[...]
      }
      try readPlain(rows, titles)
      Heartbeat.beat()
    }
  }

  private init(reading text: DelimitedText, root: String, checksFiles: Bool) {
    (self.text, self.root, self.checksFiles) = (text, root, checksFiles)
  }

  /// All of `text`.
  private mutating func read() throws(DataError) {
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
  }

  /// What a list is that has nothing to compare.
  package var emptiness: DataError { DataError(text.path, "a list without pairs") }

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
    let (first, second) = (verdict == 0 ? 1 : 0, verdict == 2 ? 1 : 2)
    var fields: [DelimitedText.Field] = []
    for row in rows {
      fill(&fields, row)
      guard fields.count == 3 else {
        // A quote that is not closed is told first.
        for field in fields { _ = try text.string(field, row) }
        throw error(
          row,
          "'pathA pathB 0|1' is needed, but there are \(fields.count) fields (put tabs around paths with blanks, or quotes)"
        )
      }
      let same = text.isEqual(fields[verdict], "1")
      guard same || text.isEqual(fields[verdict], "0") else {
        throw error(
          row,
          "\(verdict == 2 ? "the last field" : "the field 'same'") is '\(try text.string(fields[verdict], row))', but 1 "
            + "(the same person) or 0 is needed"
        )
      }
      guard !fields[first].isEmpty, !fields[second].isEmpty else { throw error(row, "an empty field") }
      append(FacePair(try place(of: fields[first], row), try place(of: fields[second], row), same: same))
    }
  }

  /// The place of an image. Lists of this field have 16 million lines: no line that names known ones makes a `String`.
  private mutating func place(of field: DelimitedText.Field, _ row: Int) throws(DataError) -> Int {
    let isPlain = field.quotes == .none
    let (spelling, isNew) =
      isPlain ? text.withBytes(of: field) { spellings.number(of: $0) } : (number: 0, isNew: true)
    guard isNew else { return Int(spelled[spelling]) }
    let name = try text.string(field, row)
    let image = name.utf8.first == UInt8(ascii: "/") ? name : root + "/" + name
    let known = images.count
    let place = index(of: image)
    if isPlain { spelled.append(Int32(place)) }
    if images.count > known, isMissing(image) { absent.append((text.lineNumber(row), image)) }
    return place
  }

  /// The fields of a line; empty ones between tabs, which are repeated to make columns, and at the end, where spreadsheets
  /// put commas, are left out.
  func fields(_ row: Int) -> [DelimitedText.Field] {
    var fields: [DelimitedText.Field] = []
    fill(&fields, row)
    return fields
  }

  private func fill(_ fields: inout [DelimitedText.Field], _ row: Int) {
    let separator = text.separator(of: text.lines[row])
    text.fields(text.lines[row], separator, into: &fields)
    if separator == .tab { fields.removeAll { $0.isEmpty } }
    while let last = fields.last, last.isEmpty { fields.removeLast() }
  }

  mutating func append(_ pair: FacePair) { pairs.append(pair) }

  func isMissing(_ image: String) -> Bool { checksFiles && FilePath.kind(image) == .missing }

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

  func error(_ row: Int, _ reason: String) -> DataError { DataError(path, line: text.lineNumber(row), reason) }
}

extension PairList {
  /// Joins a part with those that others read: `images` and `absent` are of all parts, and image i of this part is
  /// `places[i]` there.
  package mutating func join(images: [String], absent: [(line: Int, image: String)], places: [Int32]) {
    pairs = pairs.map { FacePair(Int(places[$0.first]), Int(places[$0.second]), $0.mark) }
    (self.images, self.absent) = (images, absent)
    (indices, spellings, spelled) = ([:], NameIndex(), [])
  }

  /// Gives the pairs of a part of a list without folds some.
  ///
  /// - Parameter assignment: behind the parts before this one.
  package mutating func assignFolds(_ assignment: FoldAssignment) { pairs.assignFolds(assignment) }
}
