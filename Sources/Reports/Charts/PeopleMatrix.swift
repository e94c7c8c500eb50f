import Evaluation

/// False accepts of a few people, each against each, as its template takes them.
struct PeopleMatrix {
  struct Person {
    /// From 1: its row, and what stands over its column.
    let number: Int
    let name: String
    /// Short enough for a row's title.
    let shortName: String
  }

  struct Cell {
    let text: String
    /// What stands there, in words.
    let words: String
    /// How dark, from 1 to 4; nil where nobody was taken for the other.
    let shade: Int?
  }

  struct Row {
    let person: Person
    let cells: [Cell]
  }

  let caption: String
  let columns: [Person]
  let rows: [Row]
  /// The pairs of people, the most confused first.
  let table: Table

  /// Characters of a name that a row has room for.
  private static let mostCharacters = 20
  private static let mostRows = 12

  /// - Parameter names: by label.
  init(_ confused: ConfusedPeople, names: [String], caption: String) {
    let people = confused.people.enumerated().map { place, label in
      Person(number: place + 1, name: names[label], shortName: Self.short(names[label]))
    }
    let most = confused.worst.first?.accepted ?? 1
    self.caption = caption
    columns = people
    rows = zip(people, confused.people).map { person, label in
      Row(
        person: person,
        cells: zip(people, confused.people).map { other, otherLabel in
          guard label != otherLabel else { return Cell(text: "", words: person.name, shade: nil) }
          guard let pairing = confused.pairing(label, otherLabel) else {
            return Cell(text: "-", words: "\(person.name) and \(other.name): no pair", shade: nil)
          }
          return Cell(
            text: "\(pairing.accepted)", words: "\(person.name) and \(other.name): \(Self.words(pairing))",
            shade: pairing.accepted > 0 ? (4 * pairing.accepted + most - 1) / most : nil)
        })
    }
    table = Table(
      caption: caption + ", by pairs of people", corner: "people",
      columns: ["false accepts", "of pairs", "highest cosine"],
      rows: confused.worst.prefix(Self.mostRows).map { pairing in
        (
          title: "\(names[pairing.first]) and \(names[pairing.second])",
          cells: [pairing.accepted.grouped, pairing.compared.grouped, Figure.fixed(pairing.highestScore, 4)]
        )
      })
  }

  private static func words(_ pairing: ConfusedPeople.Pairing) -> String {
    "\(pairing.accepted.grouped) of \(pairing.compared.counted("pair")), highest cosine "
      + Figure.fixed(pairing.highestScore, 4)
  }

  /// By scalars: a character can be any number of them.
  private static func short(_ name: String) -> String {
    guard name.unicodeScalars.count > mostCharacters else { return name }
    return String(String.UnicodeScalarView(name.unicodeScalars.prefix(mostCharacters - 1))) + "\u{2026}"
  }
}
