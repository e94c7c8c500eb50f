import Foundation

/// The format of Labeled Faces in the Wild (Huang et al., UMass Amherst TR 07-49, 2007).
///
/// A header, `10 300`: ten folds of 300 pairs of one person, then 300 pairs of two people. The development lists of
/// View 1 have the count alone. A pair of one person is `name n1 n2`, one of two people `name1 n1 name2 n2`, separated by
/// tabs (names may then hold spaces) or white space. Image n of a person is `root/Name/Name_000n.jpg`, or another
/// extension that is there.
extension PairList {
  mutating func readLFW(_ lines: [Substring], header: [Int]) throws(PairListError) {
    let folds = header.count == 2 ? header[0] : 1
    guard let count = header.last, count > 0, folds > 0 else {
      throw error(1, "the header must give the number of folds (optional) and the pairs of each kind, all above 0")
    }
    // A giant header must not overflow: compare by division.
    let given = lines.count - 1
    guard folds <= given, given % (2 * folds) == 0, given / (2 * folds) == count else {
      throw error(
        lines.count,
        "the header asks for \(folds) times \(count) pairs of one person and as many of two people, "
          + "but \(given) lines follow it")
    }
    foldCount = folds
    // Looking on the disk once per image is enough.
    var found: [String: Int] = [:]
    for (place, line) in lines.dropFirst().enumerated() {
      let number = place + 2
      let fold = place / (2 * count)
      let same = place % (2 * count) < count
      let fields = Self.fields(line, commas: false)
      try checkLengths(fields, number)
      guard fields.count == (same ? 3 : 4) else {
        let form = same ? "'name n1 n2' (a pair of one person)" : "'name1 n1 name2 n2' (a pair of two people)"
        throw error(number, "\(form) is needed here, but there are \(fields.count) fields")
      }
      guard same || fields[0] != fields[2] else {
        throw error(number, "a pair of two people names '\(fields[0])' twice")
      }
      let first = try lfwImage(fields[0], fields[1], number, &found)
      let second = try lfwImage(same ? fields[0] : fields[2], fields[same ? 2 : 3], number, &found)
      append(FacePair(first, second, same: same, fold: fold))
    }
  }

  private mutating func lfwImage(
    _ name: String, _ number: String, _ line: Int, _ found: inout [String: Int]
  ) throws(PairListError) -> Int {
    guard let index = Int(number), index >= 0 else { throw error(line, "'\(number)' is no number of an image") }
    guard !name.isEmpty, name != ".", name != "..", !name.contains("/") else {
      throw error(line, "'\(name)' is no name of a person")
    }
    let digits = String(index)
    let stem = "\(root)/\(name)/\(name)_" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    if let place = found[stem] { return place }
    let ending = Self.extensions.first { FileManager.default.fileExists(atPath: stem + "." + $0) }
    let place = self.index(of: stem + "." + (ending ?? Self.extensions[0]))
    if ending == nil { absent.append((line, "\(stem).\(Self.extensions.joined(separator: "|"))")) }
    found[stem] = place
    return place
  }
}
