package import Files

/// Templates, and where a verification compares them its pairs: two files, as `DelimitedText` reads lines.
///
/// - Templates, one image a line: `template_id subject_id media_id path`, or `path template_id media_id` as InsightFace's
///   copies of IJB-B and IJB-C have them (`ijbc_face_tid_mid.txt`). Titles in the first line, `template_id` among them, say
///   which columns these are; others may stand beside them.
/// - Pairs: `template_id template_id 0|1`, 1 for the same person; without the last field the subjects decide. Titles may
///   stand in the first line.
///
/// Fields are separated by tabs, else commas, else blanks.
package struct TemplateList: Sendable {
  package let path: String
  /// Nil where no pairs are compared.
  package internal(set) var pairsPath: String?
  /// The folder of the images.
  package let root: String
  /// The images in the order in which the list first names them.
  package private(set) var images: [String] = []
  package private(set) var templates: [FaceTemplate] = []
  /// By places in `templates`.
  package internal(set) var pairs: [FacePair] = []
  /// What was taken for titles.
  package internal(set) var notes: [String] = []

  /// Weights of `images`; nil where all count alike.
  package private(set) var detectorScores: [Float]?

  private var places: [Name: Int] = [:]

  /// Which fields are which.
  private struct Columns {
    var (template, subject, medium, path): (Int, Int?, Int, Int)
    /// Fields of a line.
    var count: Int
  }

  private struct Use: Hashable {
    let template: Int
    let image: Int
  }

  /// - Throws: `FileError` where a file cannot be read, `DataError` naming the line that is wrong.
  package init(path: String, pairs: String?, root: String) throws {
    try self.init(try DelimitedText(path: path), pairs: try pairs.map { try DelimitedText(path: $0) }, root: root)
  }

  package init(_ list: DelimitedText, pairs: DelimitedText?, root: String) throws(DataError) {
    (path, pairsPath, self.root) = (list.path, pairs?.path, root)
    try readTemplates(list)
    guard let pairs else { return }
    try readPairs(pairs)
    guard !self.pairs.isEmpty else { throw emptiness }
  }

  /// Takes the images' weights from a list of them.
  ///
  /// - Throws: what `DetectorScores` does.
  package mutating func readDetectorScores(_ path: String) throws {
    let scores = try DetectorScores(path: path, of: self)
    detectorScores = scores.values
    notes += scores.notes
  }

  /// The place in `templates` of the one with this id.
  func place(of id: String) -> Int? { places[Name(id)] }

  /// What a list calls an image, as `images` has it.
  func imagePath(_ name: String) -> String { name.utf8.first == UInt8(ascii: "/") ? name : "\(root)/\(name)" }

  private static func titled(_ fields: [DelimitedText.Field], _ text: DelimitedText) throws(DataError) -> Columns? {
    let titles = ColumnTitles(fields, of: text)
    guard let template = titles.column(["templateid", "template"]) else { return nil }
    guard let medium = titles.column(["mediaid", "media", "sightingid"]), let path = titles.column(ColumnTitles.path)
    else {
      throw DataError(
        text.path, "its titles '\(text.shown(DelimitedText.joined(fields[...]).bytes))' lack media_id or path")
    }
    let subject = titles.column(["subjectid", "subject", "identity", "person"])
    return Columns(template: template, subject: subject, medium: medium, path: path, count: fields.count)
  }

  private static func untitled(_ count: Int) -> Columns? {
    switch count {
    case 3: Columns(template: 1, subject: nil, medium: 2, path: 0, count: 3)
    case 4: Columns(template: 0, subject: 1, medium: 2, path: 3, count: 4)
    default: nil
    }
  }

  private mutating func readTemplates(_ text: DelimitedText) throws(DataError) {
    var fields: [DelimitedText.Field] = []
    var images: [Name: Int] = [:]
    var media: [[Name: Int]] = []
    var uses: Set<Use> = []
    let rows = text.rows
    var titles: Columns?
    for row in rows {
      text.fields(text.lines[row], text.separator(of: text.lines[row]), into: &fields)
      if row == rows[0] {
        titles = try Self.titled(fields, text)
        if titles != nil { continue }
      }
      guard let columns = titles ?? Self.untitled(fields.count), columns.count == fields.count else {
        throw DataError(
          path, line: row + 1,
          (titles.map { "there are \($0.count) titles" }
            ?? "'template_id subject_id media_id path' or 'path template_id media_id' is needed")
            + ", but there are \(fields.count) fields")
      }
      let id = try string(fields[columns.template], of: text, row)
      let subject = try columns.subject.map { (column) throws(DataError) in try string(fields[column], of: text, row) }
      let medium = Name(try string(fields[columns.medium], of: text, row))
      let name = try string(fields[columns.path], of: text, row)
      let place = places[Name(id)] ?? templates.count
      if place == templates.count {
        places[Name(id)] = place
        templates.append(FaceTemplate(id: id, subject: subject, media: []))
        media.append([:])
      }
      guard templates[place].subject.map({ Name($0) }) == subject.map({ Name($0) }) else {
        throw DataError(
          path, line: row + 1,
          "template \(id) is of \(subject ?? "nobody"), but before of \(templates[place].subject ?? "nobody")")
      }
      let image = imagePath(name)
      let sample = images[Name(image)] ?? self.images.count
      if sample == self.images.count {
        images[Name(image)] = sample
        self.images.append(image)
      }
      guard uses.insert(Use(template: place, image: sample)).inserted else {
        throw DataError(path, line: row + 1, "template \(id) names the image '\(name)' twice")
      }
      let group = media[place][medium] ?? templates[place].media.count
      if group == templates[place].media.count {
        media[place][medium] = group
        templates[place].media.append([])
      }
      templates[place].media[group].append(sample)
    }
    guard !templates.isEmpty else { throw DataError(path, "a list without templates") }
  }

  func string(_ field: DelimitedText.Field, of text: DelimitedText, _ row: Int) throws(DataError) -> String {
    guard !field.isEmpty else { throw DataError(text.path, line: row + 1, "an empty field") }
    return try text.string(field, row)
  }
}
