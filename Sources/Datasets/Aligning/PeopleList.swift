package import Files

/// Who is on which image: lines `image person`, as CelebA's `identity_CelebA.txt`, with or without titles.
package struct PeopleList {
  let path: String
  private var people: [Name: Name] = [:]

  /// - Throws: `FileError` where the file cannot be read, `DataError` naming the line that is wrong.
  package init(path: String) throws { try self.init(DelimitedText(path: path)) }

  package init(_ text: DelimitedText) throws(DataError) {
    path = text.path
    let rows = text.rows
    let columns = LabelColumns(of: text, rows: rows)
    var fields: [DelimitedText.Field] = []
    for row in rows.dropFirst(columns.hasTitles ? 1 : 0) {
      text.fields(text.lines[row], text.separator(of: text.lines[row]), into: &fields)
      guard fields.count == columns.count ?? 2 else {
        throw DataError(
          path, line: row + 1,
          (columns.count.map { "there are \($0) titles" } ?? "'image person' is needed")
            + ", but there are \(fields.count) fields")
      }
      let image = try name(fields[columns.path], of: text, row)
      let person = try name(fields[columns.person], of: text, row)
      guard !person.text.utf8.contains(UInt8(ascii: "/")) else {
        throw DataError(path, line: row + 1, "'\(person)' is no name of a person")
      }
      if let other = people.updateValue(person, forKey: image), other != person {
        throw DataError(path, line: row + 1, "'\(image)' is said to show '\(person)', and before '\(other)'")
      }
    }
  }

  private func name(_ field: DelimitedText.Field, of text: DelimitedText, _ row: Int) throws(DataError) -> Name {
    guard let name = FaceTable.imageName(try text.string(field, row)) else {
      throw DataError(path, line: row + 1, "'\(text.shown(field))' is no name")
    }
    return Name(name)
  }

  /// In no order.
  package var images: some Collection<Name> { people.keys }

  package func person(of image: Name) -> Name? { people[image] }
}
