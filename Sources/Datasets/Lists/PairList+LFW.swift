import Files

/// The format of Labeled Faces in the Wild (Huang et al., UMass Amherst TR 07-49, 2007).
///
/// A header, `10 300`: ten folds of 300 pairs of one person, then 300 pairs of two people. The development lists of
/// View 1 have the count alone. A pair of one person is `name n1 n2`, one of two people `name1 n1 name2 n2`, separated by
/// tabs (names may then hold blanks), commas or blanks. Image n of a person is `root/Name/Name_000n.jpg`, or another
/// extension that is there.
///
/// Copies without the header are read by their lines' forms, and the folds are those that the order of the lines shows.
extension PairList {
  /// The folds, or none, and the count of pairs; nil where the line is no header.
  static func header(_ text: DelimitedText, _ row: Int) -> [Int]? {
    let numbers = text.shown(text.lines[row]).utf8.split { DelimitedText.isBlank($0) || $0 == 44 || $0 == 59 }.map {
      Int(Substring($0))
    }
    return (1...2).contains(numbers.count) && !numbers.contains(nil) ? numbers.compactMap { $0 } : nil
  }

  mutating func readLFW(_ rows: ArraySlice<Int>, header: [Int], line: Int) throws(DataError) {
    let folds = header.count == 2 ? header[0] : 1
    guard let count = header.last, count > 0, folds > 0 else {
      throw error(line, "the header must give the number of folds (optional) and the pairs of each kind, all above 0")
    }
    // A giant header must not overflow: compare by division.
    guard folds <= rows.count, rows.count % (2 * folds) == 0, rows.count / (2 * folds) == count else {
      throw error(
        rows.last ?? line,
        "the header asks for \(folds) times \(count) pairs of one person and as many of two people, "
          + "but \(rows.count) lines follow it")
    }
    foldCount = folds
    // Looking on the disk once per image is enough.
    var found: [Name: Int] = [:]
    for (place, row) in rows.enumerated() {
      try readLFW(row, same: place % (2 * count) < count, fold: place / (2 * count), &found)
    }
  }

  /// Whether lines that no header announces are LFW's: the first that can only be one of the two formats decides.
  func isLFW(_ rows: ArraySlice<Int>) -> Bool {
    for row in rows {
      let fields = self.fields(row)
      let verdict = fields.count == 3 && ["0", "1"].contains { text.isEqual(fields[2], $0) }
      switch kind(fields) {
      case true? where !verdict: return true
      case false?: return true
      case nil: return false
      default: continue
      }
    }
    return false
  }

  mutating func readLFWWithoutHeader(_ rows: ArraySlice<Int>) throws(DataError) {
    var kinds: [Bool] = []
    for row in rows {
      guard let same = kind(fields(row)) else {
        throw error(
          row,
          "'name n1 n2' (a pair of one person) or 'name1 n1 name2 n2' (a pair of two people) is needed, but it is "
            + "'\(text.shown(text.lines[row]))'")
      }
      kinds.append(same)
    }
    let count = kinds.firstIndex(of: false) ?? 0
    let isRegular =
      count > 0 && kinds.count % (2 * count) == 0
      && kinds.indices.allSatisfy { kinds[$0] == ($0 % (2 * count) < count) }
    // Pairs that take turns show no folds.
    foldCount = isRegular && (count > 1 || kinds.count == 2) ? kinds.count / (2 * count) : 0
    var found: [Name: Int] = [:]
    for (place, row) in rows.enumerated() {
      try readLFW(row, same: kinds[place], fold: foldCount > 1 ? place / (2 * count) : 0, &found)
    }
    let sameCount = kinds.count { $0 }
    notes.append(
      "\(path): the header line is missing (LFW's is '10 300': folds, and pairs of each kind in one); read were "
        + "\(sameCount) pairs of one person and \(kinds.count - sameCount) of two people, "
        + (foldCount > 1 ? "by their order \(foldCount) folds" : "without folds"))
  }

  /// True for the form of a pair of one person, false for two people, nil for neither.
  private func kind(_ fields: [DelimitedText.Field]) -> Bool? {
    guard fields.count == 3 || fields.count == 4, text.integer(fields[1]) != nil,
      text.integer(fields[fields.count - 1]) != nil
    else { return nil }
    return fields.count == 3
  }

  private mutating func readLFW(
    _ row: Int, same: Bool, fold: Int, _ found: inout [Name: Int]
  ) throws(DataError) {
    var parts: [String] = []
    for field in fields(row) { parts.append(try text.string(field, row)) }
    guard parts.count == (same ? 3 : 4) else {
      let form = same ? "'name n1 n2' (a pair of one person)" : "'name1 n1 name2 n2' (a pair of two people)"
      throw error(row, "\(form) is needed here, but there are \(parts.count) fields")
    }
    guard same || Name(parts[0]) != Name(parts[2]) else {
      throw error(row, "a pair of two people names '\(parts[0])' twice")
    }
    let first = try lfwImage(parts[0], parts[1], row, &found)
    let second = try lfwImage(same ? parts[0] : parts[2], parts[same ? 2 : 3], row, &found)
    append(FacePair(first, second, same: same, fold: fold))
  }

  private mutating func lfwImage(
    _ name: String, _ number: String, _ row: Int, _ found: inout [Name: Int]
  ) throws(DataError) -> Int {
    guard let index = Int(number), index >= 0 else { throw error(row, "'\(number)' is no number of an image") }
    guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(UInt8(ascii: "/")) else {
      throw error(row, "'\(name)' is no name of a person")
    }
    let stem = "\(root)/\(name)/\(name)_" + index.digits(4)
    if let place = found[Name(stem)] { return place }
    let ending = Self.extensions.first { !isMissing(stem + "." + $0) }
    let place = self.index(of: stem + "." + (ending ?? Self.extensions[0]))
    if ending == nil { absent.append((text.lineNumber(row), "\(stem).\(Self.extensions.joined(separator: "|"))")) }
    found[Name(stem)] = place
    return place
  }
}
