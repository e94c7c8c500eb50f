/// Templates and the pairs of them that a verification judges: two files, UTF-8, LF or CRLF.
///
/// - Templates, one image a line: `template_id subject_id media_id path`, or `path template_id media_id` as InsightFace's
///   copies of IJB-B and IJB-C have them (`ijbc_face_tid_mid.txt`). Titles may stand in the first line.
/// - Pairs: `template_id template_id 0|1`, 1 for the same person; without the last field the subjects decide.
///
/// Fields are separated by tabs, else commas, else white space; lines that start with `#` are passed over.
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

  private var places: [String: Int] = [:]

  /// - Throws: `FileError` where a file cannot be read, `PairListError` naming the line that is wrong.
  package init(path: String, pairs: String, root: String) throws {
    try self.init(try DelimitedText(path: path), pairs: try DelimitedText(path: pairs), root: root)
  }

  package init(_ list: DelimitedText, pairs: DelimitedText, root: String) throws(PairListError) {
    (path, pairsPath, self.root) = (list.path, pairs.path, root)
    try readTemplates(list)
    try readPairs(pairs)
  }

  private mutating func readTemplates(_ text: DelimitedText) throws(PairListError) {
    var fields: [DelimitedText.Field] = []
    var images: [String: Int] = [:]
    var media: [[String: Int]] = []
    var uses: Set<[Int]> = []
    for (index, line) in text.lines.enumerated() where !text.isIdle(line) {
      text.fields(line, text.separator(of: line), into: &fields)
      let number = index + 1
      guard fields.count == 3 || fields.count == 4 else {
        throw PairListError(
          path: path, line: number,
          reason: "'template_id subject_id media_id path' or 'path template_id media_id' is needed, "
            + "but there are \(fields.count) fields")
      }
      let parts = try strings(fields, of: text, number)
      if index == 0, parts.contains(where: { $0.lowercased() == "template_id" }) { continue }
      let hasSubject = parts.count == 4
      let (id, medium, name) = hasSubject ? (parts[0], parts[2], parts[3]) : (parts[1], parts[2], parts[0])
      let subject = hasSubject ? parts[1] : nil
      let place = places[id] ?? templates.count
      if place == templates.count {
        places[id] = place
        templates.append(FaceTemplate(id: id, subject: subject, media: []))
        media.append([:])
      }
      guard templates[place].subject == subject else {
        throw PairListError(
          path: path, line: number,
          reason: "template \(id) is of \(subject ?? "nobody"), but before of \(templates[place].subject ?? "nobody")")
      }
      let image = name.hasPrefix("/") ? name : "\(root)/\(name)"
      let sample = images[image] ?? self.images.count
      if sample == self.images.count {
        images[image] = sample
        self.images.append(image)
      }
      guard uses.insert([place, sample]).inserted else {
        throw PairListError(path: path, line: number, reason: "template \(id) names the image '\(name)' twice")
      }
      let group = media[place][medium] ?? templates[place].media.count
      if group == templates[place].media.count {
        media[place][medium] = group
        templates[place].media.append([])
      }
      templates[place].media[group].append(sample)
    }
    guard !templates.isEmpty else { throw PairListError(path: path, reason: "a list without templates") }
  }

  private mutating func readPairs(_ text: DelimitedText) throws(PairListError) {
    var fields: [DelimitedText.Field] = []
    for (index, line) in text.lines.enumerated() where !text.isIdle(line) {
      text.fields(line, text.separator(of: line), into: &fields)
      let number = index + 1
      guard fields.count == 2 || fields.count == 3 else {
        throw PairListError(
          path: pairsPath, line: number,
          reason: "'template_id template_id 0|1' is needed, but there are \(fields.count) fields")
      }
      let parts = try strings(fields, of: text, number)
      let ends = try parts[..<2].map { (id) throws(PairListError) in
        guard let place = places[id] else {
          throw PairListError(path: pairsPath, line: number, reason: "there is no template '\(id)' in \(path)")
        }
        return place
      }
      let subjects = ends.compactMap { templates[$0].subject }
      let known = subjects.count == 2 ? subjects[0] == subjects[1] : nil
      let said = parts.count == 3 ? ["0": false, "1": true][parts[2]] : nil
      guard parts.count == 2 || said != nil else {
        throw PairListError(
          path: pairsPath, line: number,
          reason: "the last field is '\(parts[2])', but 1 (the same person) or 0 is needed")
      }
      guard let same = said ?? known else {
        throw PairListError(
          path: pairsPath, line: number,
          reason: "it does not say whether the persons are the same, nor does \(path) name them")
      }
      guard known == nil || known == same else {
        throw PairListError(
          path: pairsPath, line: number,
          reason: "it says \(same ? 1 : 0), but the templates are of \(subjects[0]) and \(subjects[1])")
      }
      pairs.append(FacePair(ends[0], ends[1], same: same))
    }
    guard !pairs.isEmpty else { throw PairListError(path: pairsPath, reason: "a list without pairs") }
  }

  private func strings(
    _ fields: [DelimitedText.Field], of text: DelimitedText, _ line: Int
  ) throws(PairListError) -> [String] {
    try fields.map { (field) throws(PairListError) in
      guard let string = text.string(field), !string.isEmpty else {
        throw PairListError(
          path: text.path, line: line, reason: field.isEmpty ? "an empty field" : "'\(text.shown(field))' is not UTF-8")
      }
      guard field.count <= FilePath.maximumLength else {
        throw PairListError(
          path: text.path, line: line,
          reason: "a field of \(field.count) bytes, where \(FilePath.maximumLength) may be")
      }
      return string
    }
  }
}
