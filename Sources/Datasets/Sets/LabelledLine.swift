import Files

/// Reads the lines of a `LabelledList`, and keeps count of what they say beside image and person.
struct LabelledLine {
  /// Whether a label is a name, not the number of an .lst.
  private(set) var hasNames = false
  private let text: DelimitedText
  private let columns: LabelColumns
  private var fields: [DelimitedText.Field] = []
  /// InsightFace's lines whose flag is 0: all, and those with a box or landmarks.
  private var (unaligned, located) = (0, 0)

  init(of text: DelimitedText, _ columns: LabelColumns) { (self.text, self.columns) = (text, columns) }

  /// - Throws: `DataError` where the line is of no known form.
  mutating func read(_ row: Int) throws(DataError) -> (path: String, person: Name) {
    let line = text.lines[row]
    let separator = text.separator(of: line)
    text.fields(line, separator, into: &fields)
    if separator == .tab, let found = try numbered(row) { return found }
    hasNames = true
    var (path, person) = (columns.path, columns.person)
    if let count = columns.count {
      guard fields.count == count else {
        throw failure(row, "there are \(count) titles, but \(fields.count) fields: '\(text.shown(line))'")
      }
    } else {
      // Tabs are repeated to make columns, and commas stand behind the last field of a spreadsheet.
      if separator == .tab { fields.removeAll { $0.isEmpty && $0.quotes == .none } }
      if separator == .comma, fields.count > 2 { while fields.last?.isEmpty == true { fields.removeLast() } }
      if separator == .whitespace, fields.count > 2, fields.allSatisfy({ $0.quotes == .none }) {
        fields = [DelimitedText.joined(fields.dropLast()), fields[fields.count - 1]]
      }
      guard fields.count == 2 else { throw unknown(row) }
      (path, person) = (0, 1)
    }
    guard !fields[path].isEmpty, !fields[person].isEmpty else { throw unknown(row) }
    return (try text.string(fields[path], row), Name(try text.string(fields[person], row)))
  }

  /// A line of im2rec or of InsightFace; nil where it is neither.
  private mutating func numbered(_ row: Int) throws(DataError) -> (path: String, person: Name)? {
    guard fields.count >= 3, let number = text.integer(fields[0]) else { return nil }
    if fields.count == 3, let label = text.number(fields[1]) {
      return (try path(fields[2], row), try person(label, row))
    }
    guard [3, 7, 17].contains(fields.count), (0...1).contains(number), let label = text.number(fields[2]) else {
      return nil
    }
    if number == 0 {
      unaligned += 1
      if fields.count > 3 { located += 1 }
    }
    return (try path(fields[1], row), try person(label, row))
  }

  private func path(_ field: DelimitedText.Field, _ row: Int) throws(DataError) -> String {
    guard !field.isEmpty else { throw unknown(row) }
    return try text.string(field, row)
  }

  /// im2rec writes labels as 12.000000.
  private func person(_ label: Double, _ row: Int) throws(DataError) -> Name {
    guard let whole = Int(exactly: label), whole >= 0 else { throw unknown(row) }
    return Name("\(whole)")
  }

  /// Refuses photographs with the places of their faces: trained as they are they would give a network that knows none.
  ///
  /// - Throws: `DataError`
  func refuseUnaligned(of count: Int) throws(DataError) {
    guard located > 0 else { return }
    throw DataError(
      text.path,
      "\(located) of its \(count) images are photographs whose faces are not aligned yet (flag 0, and the face's place)",
      remedy: "Align them, 'cosface dataset align IMAGES FACES --landmarks \(text.path)' (--boxes where there are only "
        + "boxes), and give FACES; or write the flag 1 where they are aligned.")
  }

  func notes(of count: Int) -> [String] {
    unaligned == 0
      ? []
      : [
        "\(text.path): \(unaligned) of \(count) images have the flag 0, 'not aligned'; networks expect aligned faces "
          + "('cosface dataset align')"
      ]
  }

  private func unknown(_ row: Int) -> DataError {
    failure(
      row,
      "'path label' is needed, 'index<TAB>label<TAB>path', or 'flag<TAB>path<TAB>label', but it is "
        + "'\(text.shown(text.lines[row]))'")
  }

  private func failure(_ row: Int, _ reason: String) -> DataError { DataError(text.path, line: row + 1, reason) }
}
