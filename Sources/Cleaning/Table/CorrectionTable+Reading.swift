package import Files

extension CorrectionTable {
  /// Bytes that a table may have: tens of millions of lines.
  private static let maximumBytes = 4 << 30

  /// Reads a table that `dataset clean` wrote, and that may have been edited.
  ///
  /// - Throws: `FileError`, or `DataError` that names the line which is none.
  package init(path: String) throws {
    try self.init(DelimitedText(Array(TextFile.bytes(of: path, maximum: Self.maximumBytes)), path: path))
  }

  package init(_ text: DelimitedText) throws(DataError) {
    let rows = text.rows
    var fields: [DelimitedText.Field] = []
    var lines: [Line] = []
    guard let first = rows.first else { throw DataError(text.path, "the table is empty") }
    text.fields(text.lines[first], .comma, into: &fields)
    guard try Self.strings(fields, text, first) == Self.titles else {
      throw DataError(
        text.path, line: first + 1,
        "the titles '\(Self.titles.joined(separator: ","))' are needed, but it is '\(text.shown(text.lines[first]))'",
        remedy: "Give a table that 'cosface dataset clean' wrote, separated by commas.")
    }
    lines.reserveCapacity(rows.count - 1)
    for row in rows.dropFirst() {
      text.fields(text.lines[row], .comma, into: &fields)
      lines.append(try Self.line(Self.strings(fields, text, row), text.path, row + 1))
      Heartbeat.beat()
    }
    self.init(lines, path: text.path)
  }

  private static func strings(
    _ fields: [DelimitedText.Field], _ text: DelimitedText, _ row: Int
  ) throws(DataError) -> [String] {
    var strings: [String] = []
    for field in fields { strings.append(try text.string(field, row)) }
    // Spreadsheets end lines with separators.
    while strings.count > titles.count, strings.last == "" { strings.removeLast() }
    return strings
  }

  private static func line(_ fields: [String], _ path: String, _ number: Int) throws(DataError) -> Line {
    func failure(_ reason: String) -> DataError { DataError(path, line: number, reason) }
    guard fields.count == titles.count else {
      throw failure("\(titles.count) fields are needed, but there are \(fields.count)")
    }
    guard let kind = FindingKind(rawValue: fields[0]) else {
      throw failure(
        "the kind '\(shown(fields[0]))' is unknown: \(FindingKind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    let score = Double(fields[1])
    guard fields[1].isEmpty || score?.isFinite == true else {
      throw failure("the score '\(shown(fields[1]))' is no number")
    }
    guard !fields[3].isEmpty else { throw failure("the person is missing") }
    guard let action = CorrectionAction(fields[5]) else {
      throw failure("the action '\(shown(fields[5]))' is unknown: \(CorrectionAction.meaning) is needed")
    }
    let image = fields[2].isEmpty ? nil : Name(fields[2])
    if case .move = action, image == nil { throw failure("'move' is for an image, and the path is missing") }
    if case .join = action, image != nil { throw failure("'join' is for a whole person, without a path") }
    return Line(
      kind: kind, score: score, path: image, person: Name(fields[3]), other: fields[4], action: action, number: number)
  }

  private static func shown(_ text: String) -> String { text.count > 80 ? text.prefix(80) + "…" : text }
}
