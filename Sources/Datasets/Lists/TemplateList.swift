package import Files

/// Templates and the pairs of them that a verification compares: two files, as `DelimitedText` reads lines.
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
  package let pairsPath: String
  /// The folder of the images.
  package let root: String
  /// The images in the order in which the list first names them.
  package private(set) var images: [String] = []
  package private(set) var templates: [FaceTemplate] = []
  /// By places in `templates`.
  package private(set) var pairs: [FacePair] = []
  /// What was taken for titles.
  package private(set) var notes: [String] = []

  private var places: [Name: Int] = [:]

  /// Which fields are which.
  private struct Columns {
    var (template, subject, medium, path): (Int, Int?, Int, Int)
    /// Fields of a line.
    var count: Int
  }

  /// - Throws: `FileError` where a file cannot be read, `DataError` naming the line that is wrong.
  package init(path: String, pairs: String, root: String) throws {
    try self.init(try DelimitedText(path: path), pairs: try DelimitedText(path: pairs), root: root)
  }

  package init(_ list: DelimitedText, pairs: DelimitedText, root: String) throws(DataError) {
    (path, pairsPath, self.root) = (list.path, pairs.path, root)
    try readTemplates(list)
    try readPairs(pairs)
  }

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
    var uses: Set<[Int]> = []
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
      let image = name.utf8.first == UInt8(ascii: "/") ? name : "\(root)/\(name)"
      let sample = images[Name(image)] ?? self.images.count
      if sample == self.images.count {
        images[Name(image)] = sample
        self.images.append(image)
      }
      guard uses.insert([place, sample]).inserted else {
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

  private mutating func readPairs(_ text: DelimitedText) throws(DataError) {
    var fields: [DelimitedText.Field] = []
    let rows = text.rows
    for row in rows {
      let line = row + 1
      text.fields(text.lines[row], text.separator(of: text.lines[row]), into: &fields)
      guard fields.count == 2 || fields.count == 3 else {
        throw DataError(
          pairsPath, line: line, "'template_id template_id 0|1' is needed, but there are \(fields.count) fields")
      }
      var parts: [String] = []
      for field in fields { parts.append(try string(field, of: text, row)) }
      let known = parts[..<2].map { places[Name($0)] }
      if row == rows[0], rows.count > 1, known == [nil, nil],
        fields.allSatisfy({ ColumnTitles.mayBeTitle($0, of: text) })
      {
        notes.append(text.titleNote(row))
        continue
      }
      guard let first = known[0], let second = known[1] else {
        let id = parts[known[0] == nil ? 0 : 1]
        throw DataError(pairsPath, line: line, "there is no template '\(id)' in \(path)")
      }
      let said = parts.count == 3 ? text.isEqual(fields[2], "1") : nil
      guard said != false || text.isEqual(fields[2], "0") else {
        throw DataError(
          pairsPath, line: line, "the last field is '\(parts[2])', but 1 (the same person) or 0 is needed")
      }
      pairs.append(try pair(first, second, said, line))
    }
    guard !pairs.isEmpty else { throw DataError(pairsPath, "a list without pairs") }
  }

  /// `said` is the list's word on whether the two are the same person; the subjects have one, too.
  private func pair(_ first: Int, _ second: Int, _ said: Bool?, _ line: Int) throws(DataError) -> FacePair {
    let subjects = [first, second].compactMap { templates[$0].subject }
    let known = subjects.count == 2 ? Name(subjects[0]) == Name(subjects[1]) : nil
    guard let same = said ?? known else {
      throw DataError(
        pairsPath, line: line, "it does not say whether the persons are the same, nor does \(path) name them")
    }
    guard known == nil || known == same else {
      throw DataError(
        pairsPath, line: line,
        "it says \(same ? 1 : 0), but the templates are of \(subjects[0]) and \(subjects[1])")
    }
    return FacePair(first, second, same: same)
  }

  private func string(_ field: DelimitedText.Field, of text: DelimitedText, _ row: Int) throws(DataError) -> String {
    guard !field.isEmpty else { throw DataError(text.path, line: row + 1, "an empty field") }
    return try text.string(field, line: row + 1)
  }
}

/// A set of images of one person that is compared as a whole: photographs, and frames of videos.
///
/// As IARPA's Janus benchmarks use them (Klare et al., CVPR 2015; Maze et al., ICB 2018): frames of one video, or
/// photographs of one press report, are one medium and count together as one.
///
///     medium = mean of v_i / |v_i| over its images     template = mean of its media     score = cosine of two templates
package struct FaceTemplate: Equatable, Sendable {
  package let id: String
  /// Nil where the list does not say who it is.
  package let subject: String?
  /// The images of each medium, as numbers of the list's `images`; media in the order in which the list names them.
  package internal(set) var media: [[Int]]

  package init(id: String, subject: String?, media: [[Int]]) {
    (self.id, self.subject, self.media) = (id, subject, media)
  }
}
