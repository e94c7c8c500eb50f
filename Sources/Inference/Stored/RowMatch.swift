import Datasets
import Files

/// Which row of `embed`'s files belongs to which image of a set, told by names; ranks share the images.
///
/// A row is called by its path relative to what `embed --data` named, an image by its path relative to its own set. These
/// are the same text where both are the same folder, .rec or folder's list. Else the ends of the images' whole paths are
/// compared: as many parts as the longest names have, or fewer. The first way that finds a row for any image is taken, and
/// must find one for each: no image is given a row by less than others are. A picture that is there must have the size that
/// its row was made of: another set's may have the same names.
struct RowMatch {
  let notes: [String]
  private let named: NamedRows
  /// Of each of this rank's images, its row's number among those of all files.
  private let numbers: [Int32]

  /// Every rank calls it with its own `samples`; there may be none.
  ///
  /// - Throws: `DataError`, the same on every rank, where images have no row, or one name has rows that differ.
  init(
    _ files: [EmbeddingFile], _ source: any ImageSource, samples: [Int], _ group: any EmbeddingGroup
  ) throws {
    named = NamedRows(files)
    (numbers, notes) = try Self.match(named, source, samples, group)
    try Changes(numbers, named, source, samples).refuse(named, source, group)
  }

  private static func match(
    _ rows: NamedRows, _ source: any ImageSource, _ samples: [Int], _ group: any EmbeddingGroup
  ) throws -> (numbers: [Int32], notes: [String]) {
    for way in [NameWay.identifierInUnion, .identifier] where isFit(way, rows.files, source) {
      if let numbers = try find(by: way, rows, source, samples, group) { return (numbers, []) }
    }
    for parts in try (1...depth(rows, source, samples, group)).reversed() {
      let way = NameWay.end(parts: parts)
      guard let numbers = try find(by: way, rows, source, samples, group) else { continue }
      return (numbers, ["\(list(rows.files)): rows found by \(way.note!)"])
    }
    throw failure(
      try Tally(of: [Int32?](repeating: nil, count: samples.count), samples).joined(group), rows, source)
  }

  /// The row of each of the samples, in their order.
  var places: some Sequence<(file: Int, row: Int)> {
    numbers.lazy.map { [named] in named.place(Int($0)) }
  }

  private static func isFit(_ way: NameWay, _ files: [EmbeddingFile], _ source: any ImageSource) -> Bool {
    guard case .identifierInUnion = way else { return true }
    // Its images are called 1:NAME, 2:NAME and so on.
    let name = source.identifier(of: 0).utf8
    return files.count > 1 && name.drop { (48...57).contains($0) }.first == UInt8(ascii: ":")
  }

  /// The parts of the longest path, of rows or of images, whichever are shorter.
  private static func depth(
    _ rows: NamedRows, _ source: any ImageSource, _ samples: [Int], _ group: any EmbeddingGroup
  ) throws -> Int {
    let deepestRow = (0..<rows.count).reduce(1) { max($0, rows.withName($1) { NameWay.parts($0).count }) }
    let deepestImage = samples.reduce(1) { deepest, sample in
      var path = source.path(of: sample)
      return max(deepest, path.withUTF8 { NameWay.parts(UnsafeRawBufferPointer($0)).count })
    }
    return min(deepestRow, try group.gather(encoding: deepestImage).max()!)
  }

  /// Nil where this way finds nothing.
  private static func find(
    by way: NameWay, _ rows: NamedRows, _ source: any ImageSource, _ samples: [Int], _ group: any EmbeddingGroup
  ) throws -> [Int32]? {
    var index = try RowIndex(way, rows)
    var numbers = samples.map { sample in
      Heartbeat.beat()
      return index.row(of: sample, source)
    }
    if way.comparesEnds { try leaveOneEach(&numbers, rows, source, samples, group) }
    let tally = try Tally(of: numbers, samples).joined(group)
    guard tally.missing < tally.count else { return nil }
    guard tally.missing == 0 else { throw failure(tally, rows, source) }
    return numbers.map { $0! }
  }

  /// By the ends of their paths two images may look like one: the row is the first one's.
  private static func leaveOneEach(
    _ numbers: inout [Int32?], _ rows: NamedRows, _ source: any ImageSource, _ samples: [Int],
    _ group: any EmbeddingGroup
  ) throws {
    let counts = try group.gather(encoding: numbers.count)
    let start = counts[..<group.rank].reduce(0, +)
    // Whole numbers below 2^53 are exact.
    let allNumbers = try group.gather(numbers.map { Double($0 ?? -1) }, counts: counts)
    let allSamples = try group.gather(samples.map(Double.init), counts: counts)
    var takers = [Int32](repeating: -1, count: rows.count)
    for (place, number) in allNumbers.enumerated() where number >= 0 {
      let (row, sample) = (Int(number), Int(allSamples[place]))
      let other = Int(takers[row])
      takers[row] = Int32(sample)
      guard other >= 0, Name(source.path(of: other)) != Name(source.path(of: sample)) else { continue }
      if numbers.indices.contains(place - start) { numbers[place - start] = nil }
    }
  }

  /// Images, and those without a row.
  private struct Tally: Codable {
    var count: Int
    var missing: Int
    var firstMissing: [Int]

    init(of numbers: [Int32?], _ samples: [Int]) {
      count = numbers.count
      let places = numbers.indices.filter { numbers[$0] == nil }
      missing = places.count
      firstMissing = places.prefix(3).map { samples[$0] }
    }

    /// Of all ranks.
    func joined(_ group: any EmbeddingGroup) throws -> Tally {
      let all = try group.gather(encoding: self)
      var joined = self
      joined.count = all.reduce(0) { $0 + $1.count }
      joined.missing = all.reduce(0) { $0 + $1.missing }
      joined.firstMissing = Array(all.flatMap(\.firstMissing).prefix(3))
      return joined
    }
  }

  private static func failure(_ tally: Tally, _ rows: NamedRows, _ source: any ImageSource) -> DataError {
    let named = tally.firstMissing.map { "'\(source.identifier(of: $0).printableName)'" }.joined(separator: ", ")
    return DataError(
      list(rows.files),
      "\(tally.missing.grouped) of the \(tally.count.counted("image")) of \(source.location.printableName) have no row "
        + "of their own here: " + named + (tally.missing > tally.firstMissing.count ? " and others" : "")
        + "; rows have names such as '\(rows.name(0).text.printableName)'",
      remedy: "Embed this set, 'cosface embed --data' with the same path; images that it skips as unreadable "
        + "must be mended or taken out of the set."
        + (rows.files.count > 1
          ? " A name that stands in several files with other rows tells nothing: embed a folder that holds all sets."
          : ""))
  }

  fileprivate static func list(_ files: [EmbeddingFile]) -> String {
    files.map(\.path.printableName).joined(separator: ", ")
  }
}

/// Images whose files are not those that their rows were made of.
private struct Changes: Codable {
  private var count = 0
  private var first: ImageChange?

  /// Of this rank's images.
  init(_ numbers: [Int32], _ rows: NamedRows, _ source: any ImageSource, _ samples: [Int]) throws {
    for (number, sample) in zip(numbers, samples) {
      Heartbeat.beat()
      guard let change = try rows.change(ofRow: Int(number), source, sample) else { continue }
      count += 1
      if first == nil { first = change }
    }
  }

  /// - Throws: `DataError`, the same on every rank.
  func refuse(_ rows: NamedRows, _ source: any ImageSource, _ group: any EmbeddingGroup) throws {
    let all = try group.gather(encoding: self)
    guard let change = all.lazy.compactMap(\.first).first else { return }
    let count = all.reduce(0) { $0 + $1.count }
    throw DataError(
      RowMatch.list(rows.files),
      "\(count.counted("image")) of \(source.location.printableName) \(count == 1 ? "is" : "are") not what was embedded: "
        + "'\(source.identifier(of: change.sample).printableName)' has \(change.bytes.counted("byte")), and had "
        + "\(change.embeddedBytes.grouped) then",
      remedy: "Embed this set.")
  }
}
