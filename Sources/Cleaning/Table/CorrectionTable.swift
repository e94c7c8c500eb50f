package import Files
import Foundation

/// Findings as a table that people edit and apply: CSV, a line for each image or person, under the titles
/// `kind,score,path,person,other,action`.
///
/// A line with a path is about that image, one without about all images of the person that have no line of their own.
package struct CorrectionTable: Equatable, Sendable {
  package struct Line: Equatable, Sendable {
    package var kind: FindingKind
    /// Nil where a person wrote the line.
    package var score: Double?
    /// As the set calls the image; nil for a whole person.
    package var path: Name?
    package var person: Name
    /// The other person, or the other image: for the reader alone.
    package var other: String
    package var action: CorrectionAction
    /// In the file, counted from 1; 0 before it was written.
    package var number: Int

    package init(
      kind: FindingKind, score: Double?, path: Name?, person: Name, other: String, action: CorrectionAction,
      number: Int = 0
    ) {
      (self.kind, self.score, self.path, self.person) = (kind, score, path, person)
      (self.other, self.action, self.number) = (other, action, number)
    }
  }

  package let lines: [Line]
  /// For messages.
  package let path: String

  static let titles = ["kind", "score", "path", "person", "other", "action"]

  package init(_ lines: [Line], path: String = "") {
    (self.lines, self.path) = (lines, path)
  }

  /// - Throws: `FileError`
  package func write(to path: String) throws(FileError) {
    var text = Self.titles.joined(separator: ",") + "\n"
    for line in lines {
      let score = line.score.map { String(format: "%.4f", locale: Locale(identifier: "C"), $0) } ?? ""
      let fields = [
        line.kind.rawValue, score, line.path?.text ?? "", line.person.text, line.other, line.action.text,
      ]
      text += fields.map(Self.field).joined(separator: ",") + "\n"
    }
    try AtomicFile.write(Data(text.utf8), to: path)
  }

  /// In quotes too where a reader would take blanks or a comment away.
  static func field(_ text: String) -> String {
    let first = text.utf8.first, last = text.utf8.last
    let needsQuotes =
      first == UInt8(ascii: "#") || [first, last].contains { $0.map(DelimitedText.isBlank) ?? false }
      || text.utf8.contains(9)
    return needsQuotes ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : CSV.field(text)
  }
}
