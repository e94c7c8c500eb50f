package import Datasets
package import Files

/// One thing that may be wrong in a set, with what is proposed and what shows it.
package struct Finding: Sendable {
  /// Images that a reader compares: some of one person, or of one part of a folder.
  package struct Pictures: Sendable {
    /// Who they are said to be.
    package let title: String
    package let samples: [Int]
    /// Whether they are of the validation set.
    package var isValidation = false
  }

  package let kind: FindingKind
  package let score: Double
  /// Images that the action is for; none where it is for the whole person.
  package let samples: [Int]
  package let person: Name
  /// The other person, or the other image.
  package let other: String
  package let action: CorrectionAction
  /// The suspects first.
  package let pictures: [Pictures]
  /// What was measured, beside the score.
  package let remark: String

  /// Its lines of a table.
  package func lines(of source: any ImageSource) -> [CorrectionTable.Line] {
    func line(_ path: Name?) -> CorrectionTable.Line {
      .init(kind: kind, score: score, path: path, person: person, other: other, action: action)
    }
    return samples.isEmpty ? [line(nil)] : samples.map { line(Name(source.identifier(of: $0))) }
  }
}
