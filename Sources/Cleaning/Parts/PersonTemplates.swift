import Inference

/// Every person as one vector, made of the images of the largest part: what does not look like them is left out.
///
///     S_p = sum of the unit vectors of the part      t_p = S_p / |S_p|
struct PersonTemplates: Sendable {
  /// t of the people who have images: row i is that of `people[i]`.
  let table: EmbeddingTable
  let people: [Int]
  /// The row of each person, -1 of one without images.
  let rows: [Int]
  /// |S| of each row.
  let lengths: [Double]
  /// Images in each row's sum.
  let counts: [Int]
  /// Whether an image, a row of the set, is part of its person's template.
  let isIn: [Bool]

  init(_ set: EmbeddedSet, _ parts: PersonParts) {
    self.init(set, parts.parts.enumerated().compactMap { person, parts in parts.first.map { (person, $0) } })
  }

  /// Of groups of rows that each show one person.
  init(_ set: EmbeddedSet, _ groups: [(person: Int, rows: [Int])]) {
    let width = set.table.width
    var (people, lengths, counts): ([Int], [Double], [Int]) = ([], [], [])
    var rows = [Int](repeating: -1, count: set.people)
    var isIn = [Bool](repeating: false, count: set.table.count)
    var values: [Float] = []
    for (person, group) in groups {
      var members = group
      var sum = set.table.sumOfUnitVectors(members)
      var length = Self.length(sum)
      // Opposite vectors cancel out: then one image stands for the person.
      if length < 1e-6 {
        members = [group[0]]
        sum = set.table.sumOfUnitVectors(members)
        length = Self.length(sum)
      }
      rows[person] = people.count
      people.append(person)
      lengths.append(length)
      counts.append(members.count)
      for row in members { isIn[row] = true }
      values += sum.map { Float($0 / length) }
    }
    table = EmbeddedSet.table(values, width: width)
    (self.people, self.rows, self.lengths, self.counts, self.isIn) = (people, rows, lengths, counts, isIn)
  }

  /// The mean cosine of an image with those of its person's template, over the length of their mean: its cosine with a
  /// template that it is no part of. Nil where there is no other image.
  func ownCosine(of row: Int, in set: EmbeddedSet) -> Double? {
    let person = rows[set.labels[row]]
    let cosine = set.table.cosine(row, of: table, person)
    guard isIn[row] else { return cosine }
    guard counts[person] > 1 else { return nil }
    let length = lengths[person]
    // <u, S - u> / |S - u|
    let rest = (length * length - 2 * length * cosine + 1).squareRoot()
    return rest > 1e-6 ? (length * cosine - 1) / rest : nil
  }

  /// The mean cosine of the images of one template with those of another.
  func meanCosine(_ row: Int, of other: PersonTemplates, _ otherRow: Int, cosine: Double) -> Double {
    cosine * lengths[row] / Double(counts[row]) * other.lengths[otherRow] / Double(other.counts[otherRow])
  }

  private static func length(_ vector: [Double]) -> Double {
    vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }
}
