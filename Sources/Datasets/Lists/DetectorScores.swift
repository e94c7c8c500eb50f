package import Files

/// How sure a detector was of each image's face, the weight of the image in its template.
///
/// A line `path x1 y1 x2 y2 x3 y3 x4 y4 x5 y5 score`, as InsightFace's copies of IJB-B and IJB-C have it
/// (`ijbc_name_5pts_score.txt`), or `path score`, as `DelimitedText` reads lines; titles may stand in the first line.
/// Images that are in no template are passed over.
package struct DetectorScores: Sendable {
  package let path: String
  /// Of the list's `images`; finite, not below 0. Rounded to Float, as InsightFace reads them.
  package let values: [Float]
  /// What was taken for titles.
  package private(set) var notes: [String] = []

  /// - Throws: `FileError` where the file cannot be read, `DataError` naming the line that is wrong, or an image of the
  ///   list that has no score.
  package init(path: String, of list: TemplateList) throws {
    try self.init(try DelimitedText(path: path), of: list)
  }

  package init(_ text: DelimitedText, of list: TemplateList) throws(DataError) {
    path = text.path
    let numbers = Dictionary(uniqueKeysWithValues: zip(list.images.lazy.map { Name($0) }, 0...))
    // Below 0: none yet.
    var values = [Float](repeating: -1, count: list.images.count)
    var fields: [DelimitedText.Field] = []
    for (index, row) in text.rows.enumerated() {
      text.fields(text.lines[row], text.separator(of: text.lines[row]), into: &fields)
      if index == 0, fields.allSatisfy({ ColumnTitles.mayBeTitle($0, of: text) }) {
        notes.append(text.titleNote(row))
        continue
      }
      guard fields.count == 2 || fields.count == 12 else {
        throw DataError(
          path, line: row + 1,
          "'path score' or 'path x1 y1 ... x5 y5 score' is needed, but there are \(fields.count) fields")
      }
      guard let image = numbers[Name(list.imagePath(try list.string(fields[0], of: text, row)))] else { continue }
      guard let score = text.number(fields[fields.count - 1]).map(Float.init), score.isFinite, score >= 0 else {
        throw DataError(
          path, line: row + 1,
          "the score is '\(text.shown(fields[fields.count - 1]))', where a number that is not below 0 is needed")
      }
      guard values[image] < 0 else {
        throw DataError(path, line: row + 1, "it names the image '\(text.shown(fields[0]))' twice")
      }
      values[image] = score
    }
    if let image = values.firstIndex(where: { $0 < 0 }) {
      throw DataError(
        path, "it has no score of '\(list.images[image].printableName)', an image of \(list.path)",
        remedy: "Every image of the templates needs its line.")
    }
    self.values = values
  }
}
