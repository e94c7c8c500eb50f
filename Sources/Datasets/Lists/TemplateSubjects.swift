package import Files

/// Who is on which templates: a gallery to be searched, or the probes of a search, as IJB-B and IJB-C have them
/// (`ijbc_1N_gallery_G1.csv`, `ijbc_1N_probe_mixed.csv`).
///
/// A line `template_id subject_id`, as `DelimitedText` reads lines. Titles in the first line, `template_id` and
/// `subject_id` among them, say which columns these are. A template may be named several times, once for each of its
/// images.
package struct TemplateSubjects: Sendable {
  package let path: String
  /// Places in the list's `templates`, in the order of the file, each once.
  package private(set) var templates: [Int] = []
  /// The person on each.
  package private(set) var subjects: [Name] = []

  /// - Throws: `FileError` where the file cannot be read, `DataError` naming the line that is wrong: a template that
  ///   `list` lacks, or one of two people.
  package init(path: String, of list: TemplateList) throws {
    try self.init(try DelimitedText(path: path), of: list)
  }

  package init(_ text: DelimitedText, of list: TemplateList) throws(DataError) {
    path = text.path
    var fields: [DelimitedText.Field] = []
    var columns = (template: 0, subject: 1)
    var known: [Int: Name] = [:]
    for (index, row) in text.rows.enumerated() {
      text.fields(text.lines[row], text.separator(of: text.lines[row]), into: &fields)
      if index == 0 {
        let titles = ColumnTitles(fields, of: text)
        if let template = titles.column(["templateid", "template"]),
          let subject = titles.column(["subjectid", "subject", "identity", "person"])
        {
          columns = (template, subject)
          continue
        }
      }
      guard max(columns.template, columns.subject) < fields.count else {
        throw DataError(path, line: row + 1, "'template_id subject_id' is needed, but there are \(fields.count) fields")
      }
      let id = try list.string(fields[columns.template], of: text, row)
      let subject = Name(try list.string(fields[columns.subject], of: text, row))
      guard let place = list.place(of: id) else {
        throw DataError(path, line: row + 1, "there is no template '\(id)' in \(list.path)")
      }
      let other = known.updateValue(subject, forKey: place)
      guard other == nil || other == subject else {
        throw DataError(path, line: row + 1, "template \(id) is of \(subject.text), but before of \(other!.text)")
      }
      if let named = list.templates[place].subject, Name(named) != subject {
        throw DataError(path, line: row + 1, "template \(id) is of \(subject.text), but in \(list.path) of \(named)")
      }
      guard other == nil else { continue }
      templates.append(place)
      subjects.append(subject)
    }
    guard !templates.isEmpty else { throw DataError(path, "a list without templates") }
  }
}
