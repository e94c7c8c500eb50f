import Files

/// The titles of a list's columns, which may stand in its first line.
struct ColumnTitles {
  /// In small letters, without underscores, hyphens and blanks.
  private let words: [String]

  init(_ fields: [DelimitedText.Field], of text: DelimitedText) {
    words = fields.map { text.shown($0).lowercased().filter { !"_- ".contains($0) } }
  }

  var count: Int { words.count }

  /// The first column with one of these titles, those of `taken` left out.
  func column(_ titles: [String], besides taken: [Int] = []) -> Int? {
    titles.lazy.compactMap { title in words.indices.first { words[$0] == title && !taken.contains($0) } }.first
  }

  static let path = [
    "path", "filepath", "imagepath", "imgpath", "filename", "file", "imagefile", "imagename", "imgname", "image", "img",
    "imageid", "nameid", "photo", "picture", "name",
  ]
  static let person = [
    "label", "labels", "identity", "identities", "identityid", "identityname", "person", "personid", "personname",
    "people", "subject", "subjectid", "class", "classid", "classname", "target", "name", "id",
  ]
  static let same = ["same", "issame", "sameperson", "label", "match", "ismatch", "target", "genuine"]

  /// Whether a word could be a title: neither a number nor a path.
  static func mayBeTitle(_ field: DelimitedText.Field, of text: DelimitedText) -> Bool {
    !field.isEmpty && text.number(field) == nil && !text.shown(field).utf8.contains { $0 == 46 || $0 == 47 }
  }
}

/// What a reader of lists says of a first line that it took for titles.
extension DelimitedText {
  func titleNote(_ row: Int) -> String {
    "\(path), line \(row + 1): '\(shown(lines[row]))' was taken for titles of the columns"
  }
}

/// Which fields of a list `image person` are the two, and whether its first line is titles.
struct LabelColumns {
  private(set) var path = 0
  private(set) var person = 1
  /// Nil where the fields must be two.
  private(set) var count: Int?
  private(set) var hasTitles = false

  /// - Parameter exists: whether there is an image of this name, where that can be known.
  init(of text: DelimitedText, rows: [Int], exists: (String) -> Bool = { _ in false }) {
    guard let first = rows.first else { return }
    var fields: [DelimitedText.Field] = []
    let line = text.lines[first]
    text.fields(line, text.separator(of: line), into: &fields)
    let titles = ColumnTitles(fields, of: text)
    guard fields.count >= 2, fields.allSatisfy({ ColumnTitles.mayBeTitle($0, of: text) }),
      let name = try? text.string(fields[0]), !exists(name)
    else { return }
    if let path = titles.column(ColumnTitles.path), let person = titles.column(ColumnTitles.person, besides: [path]) {
      (self.path, self.person, count, hasTitles) = (path, person, titles.count, true)
      return
    }
    // Unknown words: titles where all that follow name images.
    let others = rows.dropFirst().prefix(100)
    hasTitles =
      fields.count == 2 && !others.isEmpty
      && others.allSatisfy { row in
        let line = text.lines[row]
        text.fields(line, text.separator(of: line), into: &fields)
        return fields.first.map { DirectoryListing.isImage(text.shown($0).utf8) } ?? false
      }
  }
}
