package import Files

/// What is done about a finding.
package enum CorrectionAction: Equatable, Hashable, Sendable {
  /// Nothing: as if the line were not there.
  case keep
  /// The image, or all images of the person, are left out.
  case remove
  /// The image becomes one of this person, who may be new.
  case move(Name)
  /// All images of the person become those of this one, who must be in the set.
  case join(Name)

  /// As it stands in a table: "move NAME".
  package var text: String {
    switch self {
    case .keep: "keep"
    case .remove: "remove"
    case .move(let person): "move \(person)"
    case .join(let person): "join \(person)"
    }
  }

  /// Nil for what is none.
  package init?(_ text: String) {
    let bytes = text.utf8
    let space = bytes.firstIndex(of: UInt8(ascii: " ")) ?? bytes.endIndex
    let word = String(Substring(bytes[..<space]))
    let person = space == bytes.endIndex ? "" : String(Substring(bytes[bytes.index(after: space)...]))
    switch (word, person.isEmpty) {
    case ("keep", true): self = .keep
    case ("remove", true): self = .remove
    case ("move", false): self = .move(Name(person))
    case ("join", false): self = .join(Name(person))
    default: return nil
    }
  }

  static let meaning = "keep, remove, 'move PERSON' or 'join PERSON'"
}
