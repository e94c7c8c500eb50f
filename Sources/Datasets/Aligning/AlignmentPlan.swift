import Files

/// Which row of a table becomes which file.
struct AlignmentPlan {
  /// A row that becomes no file: the image's name or the row's place, and why.
  struct Bad: Equatable, Sendable {
    let name: String
    let reason: String
  }

  /// The rows that are to be aligned, in the table's order.
  private(set) var rows: [Int] = []
  /// By place in `rows`: the file below the output folder.
  private(set) var outputs: [String] = []
  private(set) var bad: [Bad] = []
  /// Rows that repeat another word for word.
  private(set) var repeated = 0

  /// - Throws: `DataError` or `FileError` where the list of people cannot be read.
  init(_ table: FaceTable, _ options: FaceAlignmentOptions) throws {
    let people = try options.people.map { try PeopleList(path: $0) }
    bad = table.problems.map {
      let place = table.description(of: $0.place)
      return Bad(name: $0.name ?? place, reason: $0.name == nil ? $0.reason : "\(place): \($0.reason)")
    }
    var first: [Name: Int] = [:]
    var disputed: Set<Int> = []
    for row in 0..<table.count {
      let name = table.names[row]
      let place = table.description(of: table.places[row])
      let stem = Self.stem(name)
      let output: String
      if let people {
        guard let person = people.person(of: Name(name)) else {
          bad.append(Bad(name: name, reason: "\(place): \(people.path) does not say who it is"))
          continue
        }
        output = "\(person)/\(FilePath.split(stem).name).\(options.format.fileExtension)"
      } else {
        output = "\(stem).\(options.format.fileExtension)"
      }
      guard let other = first[Name(output)] else {
        first[Name(output)] = row
        rows.append(row)
        outputs.append(output)
        continue
      }
      if Name(table.names[other]) != Name(name) {
        bad.append(
          Bad(name: name, reason: "\(place): '\(table.names[other])' becomes the same file, \(output.printableName)"))
      } else if table.agree(other, row) {
        repeated += 1
      } else {
        bad.append(
          Bad(
            name: name, reason: "\(place): \(table.description(of: table.places[other])) has other coordinates for it"))
        disputed.insert(other)
      }
    }
    guard !disputed.isEmpty else { return }
    // Nobody knows which of the two is right.
    let kept = rows.indices.filter { !disputed.contains(rows[$0]) }
    (rows, outputs) = (kept.map { rows[$0] }, kept.map { outputs[$0] })
  }

  /// The name without the ending of an image file.
  static func stem(_ name: String) -> String {
    PairList.extensions.contains { $0 == FilePath.ending(of: name) } ? FilePath.withoutEnding(name) : name
  }
}
