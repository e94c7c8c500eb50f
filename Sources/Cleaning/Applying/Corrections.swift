package import Datasets
package import Files

/// What a table makes of a set: the person of every image, or that it is left out.
///
/// A line about an image counts for it, one about a person for all images of the person without such a line. People who
/// join one who joins another are that other's.
package struct Corrections: Sendable {
  /// What became of the images and people that lines are about.
  package struct Counts: Equatable, Sendable {
    package internal(set) var removed = 0
    package internal(set) var moved = 0
    package internal(set) var joinedPeople = 0
    package internal(set) var keptLines = 0
  }

  /// Of each image its person, -1 where it is left out.
  private let labels: [Int32]
  /// The set's people, and behind them the new ones.
  private let people: [Name]
  package let counts: Counts

  /// - Throws: `DataError` naming the line that is about nothing of the set, or contradicts another.
  package init(_ table: CorrectionTable, of source: any ImageSource) throws(DataError) {
    let subjects = try Subjects(table, of: source)
    var people = source.classNames
    var numbers = subjects.people
    var counts = Counts()
    counts.keptLines = table.lines.count { $0.action == .keep }
    // Who each person becomes; nil: left out.
    var targets: [Int?] = Array(source.classNames.indices)
    for (person, line) in subjects.wholePeople {
      switch line.action {
      case .join(let other):
        guard let number = numbers[other] else {
          throw subjects.failure(line, "there is no person '\(other)' in the set to join")
        }
        guard number != person else { throw subjects.failure(line, "'\(other)' cannot join itself") }
        targets[person] = number
        counts.joinedPeople += 1
      default: targets[person] = nil
      }
    }
    let ends = try subjects.ends(of: targets)
    var labels = [Int32](repeating: 0, count: source.count)
    for sample in 0..<source.count {
      let person = source.label(of: sample)
      guard let line = subjects.images[sample] else {
        labels[sample] = Int32(ends[person] ?? -1)
        if ends[person] == nil { counts.removed += 1 }
        continue
      }
      guard case .move(let other) = line.action else {
        labels[sample] = -1
        counts.removed += 1
        continue
      }
      var number = numbers[other] ?? people.count
      if number == people.count {
        numbers[other] = number
        people.append(other)
      } else if number < ends.count {
        guard let end = ends[number] else {
          throw subjects.failure(line, "it moves an image to '\(other)', whom another line leaves out")
        }
        number = end
      }
      labels[sample] = Int32(number)
      counts.moved += 1
    }
    guard labels.contains(where: { $0 >= 0 }) else { throw DataError(table.path, "it leaves no image of the set") }
    (self.labels, self.people, self.counts) = (labels, people, counts)
  }

  /// The set under the people that the table gives, without the images that it leaves out.
  package func images(of source: any ImageSource) -> ImageSubset {
    ImageSubset(of: source, people: people) { labels[$0] }
  }
}

/// The images and people that the lines of a table are about.
private struct Subjects {
  typealias Line = CorrectionTable.Line

  private let path: String
  private(set) var people: [Name: Int] = [:]
  /// By sample.
  private(set) var images: [Int: Line] = [:]
  /// By label, ascending.
  private(set) var wholePeople: [(Int, Line)] = []

  init(_ table: CorrectionTable, of source: any ImageSource) throws(DataError) {
    path = table.path
    people = Dictionary(zip(source.classNames, 0...)) { first, _ in first }
    let wanted = Set(table.lines.compactMap(\.path))
    var samples: [Name: Int] = [:]
    if !wanted.isEmpty {
      for sample in 0..<source.count {
        let name = Name(source.identifier(of: sample))
        if wanted.contains(name) { samples[name] = sample }
        Heartbeat.beat()
      }
    }
    var whole: [Int: Line] = [:]
    for line in table.lines {
      guard let person = people[line.person] else {
        throw failure(line, "there is no person '\(line.person)' in \(source.location)")
      }
      guard let name = line.path else {
        if line.action != .keep, let other = whole.updateValue(line, forKey: person) { try agree(other, line) }
        continue
      }
      guard let sample = samples[name] else { throw failure(line, "there is no image '\(name)' in \(source.location)") }
      guard source.label(of: sample) == person else {
        throw failure(
          line,
          "'\(name)' is of the person '\(source.classNames[source.label(of: sample)])', and not of "
            + "'\(line.person)': the table is of another set")
      }
      if line.action != .keep, let other = images.updateValue(line, forKey: sample) { try agree(other, line) }
    }
    wholePeople = whole.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private func agree(_ first: Line, _ second: Line) throws(DataError) {
    guard first.action != second.action else { return }
    throw failure(
      second,
      "'\(second.action.text)' contradicts '\(first.action.text)' of line \(first.number), which is about the same "
        + (second.path == nil ? "person" : "image"))
  }

  /// Whom each person is in the end; nil: left out.
  func ends(of targets: [Int?]) throws(DataError) -> [Int?] {
    var ends = targets
    let lines = Dictionary(uniqueKeysWithValues: wholePeople)
    for person in targets.indices {
      var (end, steps) = (person, 0)
      while let next = targets[end], next != end {
        (end, steps) = (next, steps + 1)
        guard steps <= targets.count else {
          throw failure(lines[person]!, "people would join each other in a circle")
        }
      }
      ends[person] = targets[end]
      if end != person, ends[person] == nil {
        throw failure(lines[person]!, "it joins somebody whom another line leaves out")
      }
    }
    return ends
  }

  func failure(_ line: Line, _ reason: String) -> DataError { DataError(path, line: line.number, reason) }
}
