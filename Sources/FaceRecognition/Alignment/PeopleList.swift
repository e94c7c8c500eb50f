/// Who is on which image: lines `image person`, as CelebA's `identity_CelebA.txt`.
package struct PeopleList {
  let path: String
  private var people: [String: String] = [:]

  /// - Throws: `FileError` where the file cannot be read, `DataError` naming the line that is wrong.
  package init(path: String) throws {
    self.path = path
    let text = try DelimitedText(path: path)
    var fields: [DelimitedText.Field] = []
    for (index, line) in text.lines.enumerated() where !text.isIdle(line) {
      text.fields(line, text.separator(of: line), into: &fields)
      let place = "\(path), line \(index + 1)"
      guard fields.count == 2 else {
        throw DataError(place, "'image person' is needed, but there are \(fields.count) fields")
      }
      let names = try fields.map { (field) throws(DataError) in
        guard field.count <= FilePath.maximumLength, let text = text.string(field), let name = FaceTable.imageName(text)
        else {
          throw DataError(place, "'\(text.shown(field))' is no name")
        }
        return name
      }
      guard !names[1].contains("/") else { throw DataError(place, "'\(names[1])' is no name of a person") }
      if let other = people.updateValue(names[1], forKey: names[0]), other != names[1] {
        throw DataError(place, "'\(names[0])' is said to show '\(names[1])', and before '\(other)'")
      }
    }
  }

  /// In no order.
  package var images: some Collection<String> { people.keys }

  package func person(of image: String) -> String? { people[image] }
}
