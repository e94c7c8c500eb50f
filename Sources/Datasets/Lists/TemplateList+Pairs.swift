package import Files
import VectorKernels

extension TemplateList {
  /// Reads the `part`-th of `parts` parts of a list of pairs: blocks of its lines, which nobody else reads. There may be no
  /// pair in a part.
  ///
  /// - Throws: `FileError` where the file cannot be read, `DataError` naming the line that is wrong.
  package mutating func readPairs(_ path: String, part: Int, of parts: Int) throws {
    pairsPath = path
    let blocks = try TextBlocks(path: path)
    for block in Share.range(of: blocks.count, part, parts) {
      try readPairs(blocks.text(block), isBegin: block == 0)
      Heartbeat.beat()
    }
  }

  /// What a list of pairs is that has nothing to compare.
  package var emptiness: DataError { DataError(pairsPath ?? path, "a list without pairs") }

  /// Lists of this field have 16 million pairs: no line makes an array.
  ///
  /// - Parameter isBegin: whether the list begins here, perhaps with titles.
  mutating func readPairs(_ text: DelimitedText, isBegin: Bool = true) throws(DataError) {
    var fields: [DelimitedText.Field] = []
    let rows = text.rows
    for row in rows {
      let line = text.lineNumber(row)
      text.fields(text.lines[row], text.separator(of: text.lines[row]), into: &fields)
      guard fields.count == 2 || fields.count == 3 else {
        throw DataError(
          text.path, line: line, "'template_id template_id 0|1' is needed, but there are \(fields.count) fields")
      }
      let ids = (try string(fields[0], of: text, row), try string(fields[1], of: text, row))
      let known = (place(of: ids.0), place(of: ids.1))
      if isBegin, row == rows[0], rows.count > 1, known == (nil, nil),
        fields.allSatisfy({ ColumnTitles.mayBeTitle($0, of: text) })
      {
        notes.append(text.titleNote(row))
        continue
      }
      guard let first = known.0, let second = known.1 else {
        let id = known.0 == nil ? ids.0 : ids.1
        throw DataError(text.path, line: line, "there is no template '\(id)' in \(path)")
      }
      let said = fields.count == 3 ? text.isEqual(fields[2], "1") : nil
      guard said != false || text.isEqual(fields[2], "0") else {
        throw DataError(
          text.path, line: line,
          "the last field is '\(text.shown(fields[2]))', but 1 (the same person) or 0 is needed")
      }
      pairs.append(try pair(first, second, said, text.path, line))
    }
  }

  /// `said` is the list's word on whether the two are the same person; the subjects have one, too.
  private func pair(
    _ first: Int, _ second: Int, _ said: Bool?, _ pairsPath: String, _ line: Int
  ) throws(DataError) -> FacePair {
    var known: Bool?
    if let one = templates[first].subject, let other = templates[second].subject { known = Name(one) == Name(other) }
    guard let same = said ?? known else {
      throw DataError(
        pairsPath, line: line, "it does not say whether the persons are the same, nor does \(path) name them")
    }
    guard known == nil || known == same else {
      throw DataError(
        pairsPath, line: line,
        "it says \(same ? 1 : 0), but the templates are of \(templates[first].subject ?? "")"
          + " and \(templates[second].subject ?? "")")
    }
    return FacePair(first, second, same: same)
  }
}
