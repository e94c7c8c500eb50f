/// What may be wrong in a set of people, as tables and pages call it.
package enum FindingKind: String, CaseIterable, Codable, Sendable {
  /// An image that is far from its person and near another.
  case wrongLabel = "wrong-label"
  /// An image of a second person in a folder.
  case twoPeople = "two-people"
  /// A person who is in the set a second time, under another name.
  case onePerson = "one-person"
  /// A picture that is in the set already.
  case duplicate
  /// A person of the set who is in the validation set, too.
  case validation

  /// What it is about, for tables and headings.
  package var heading: String {
    switch self {
    case .wrongLabel: "Images that look like another person"
    case .twoPeople: "Folders that hold two people"
    case .onePerson: "People who are in the set twice"
    case .duplicate: "Pictures that are in the set twice"
    case .validation: "People who are in the validation set, too"
    }
  }

  /// What its score is.
  package var scoreMeaning: String {
    switch self {
    case .wrongLabel:
      "cosine with the other person, plus its lead over the ten next people, minus half the cosine with the own person"
    case .twoPeople: "mean cosine within the second part, minus that between the two parts"
    case .onePerson, .validation:
      "cosine of the two people's mean directions, plus its lead over the ten next people, plus the mean cosine of "
        + "their images"
    case .duplicate: "correlation of the grey levels"
    }
  }
}
