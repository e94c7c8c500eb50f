import Datasets
import Files

/// Which row of `embed`'s files belongs to which image of a training set, told by names.
///
/// A row is called by its path relative to what `embed --data` named, an image by its path relative to its own set. These
/// are the same text where both are the same folder, .rec or folder's list. Else the ends of the images' whole paths are
/// compared: as many parts as the longest names have, or fewer. The first way that finds a row for any image is taken, and
/// must find one for each: no image is given a row by less than others are.
struct RowMatch {
  /// Of each file, the samples that have their rows in it.
  let places: [[(sample: Int, row: Int)]]
  let notes: [String]

  /// - Throws: `DataError` where images have no row, or one name has rows that differ.
  init(_ files: [EmbeddingFile], _ source: any ImageSource) throws {
    let rows = NamedRows(files)
    for way in Self.ways(rows, source) {
      var match = try Attempt(way, rows)
      for sample in 0..<source.count { match.find(sample, of: source) }
      guard match.found > 0 else { continue }
      guard match.missing == 0 else { throw Self.failure(match, files, source) }
      var places = [[(sample: Int, row: Int)]](repeating: [], count: files.count)
      for (sample, number) in match.numbers.enumerated() {
        let (file, row) = rows.place(Int(number))
        places[file].append((sample, row))
      }
      self.places = places
      notes = way.note.map { ["\(Self.list(files)): rows found by \($0)"] } ?? []
      return
    }
    throw Self.failure(nil, files, source)
  }

  /// The ways to tell, most certain first.
  private static func ways(_ rows: NamedRows, _ source: any ImageSource) -> [Way] {
    var depths = (rows: 1, samples: 1)
    for number in 0..<rows.count { depths.rows = max(depths.rows, Way.parts(rows.name(number).text).count) }
    for sample in 0..<source.count { depths.samples = max(depths.samples, Way.parts(source.path(of: sample)).count) }
    let ends = (1...min(depths.rows, depths.samples)).reversed().map { Way.end(parts: $0) }
    return (rows.files.count > 1 ? [.identifierInUnion] : []) + [.identifier] + ends
  }

  private static func failure(_ match: Attempt?, _ files: [EmbeddingFile], _ source: any ImageSource) -> DataError {
    let samples = match?.firstMissing ?? Array(0..<min(source.count, 3))
    let named = samples.map { "'\(source.identifier(of: $0).printableName)'" }.joined(separator: ", ")
    let missing = match?.missing ?? source.count
    return DataError(
      list(files),
      "\(missing.grouped) of the \(source.count.counted("image")) of the training set have no row of their own here: "
        + named + (missing > samples.count ? " and others" : "")
        + "; rows have names such as '\(files[0].names[0].text.printableName)'",
      remedy: "Embed what is trained on, 'cosface embed --data' with the same path; images that it skips as unreadable "
        + "must be mended or taken out of the set.")
  }

  private static func list(_ files: [EmbeddingFile]) -> String {
    files.map(\.path.printableName).joined(separator: ", ")
  }
}

/// The rows of all files, numbered through.
private struct NamedRows {
  let files: [EmbeddingFile]
  /// The first number of each file, and the count of all.
  private let starts: [Int]

  init(_ files: [EmbeddingFile]) {
    self.files = files
    starts = files.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.names.count) }
  }

  var count: Int { starts[files.count] }

  func place(_ number: Int) -> (file: Int, row: Int) {
    let file = starts.dropLast().lastIndex { $0 <= number }!
    return (file, number - starts[file])
  }

  func name(_ number: Int) -> Name {
    let (file, row) = place(number)
    return files[file].names[row]
  }

  func areSame(_ a: Int, _ b: Int) throws -> Bool {
    let (a, b) = (place(a), place(b))
    return try files[a.file].isSame(a.row, as: b.row, of: files[b.file])
  }
}

/// What of the names is compared.
private enum Way {
  /// Of a union's images, with the number of the set, which is the number of the file.
  case identifierInUnion
  case identifier
  /// So many of the last parts of the paths.
  case end(parts: Int)

  var comparesEnds: Bool {
    if case .end = self { true } else { false }
  }

  var note: String? {
    if case .end(let parts) = self { "the last \(parts.counted("part")) of the images' paths" } else { nil }
  }

  func key(ofRow number: Int, _ rows: NamedRows) -> Name {
    switch self {
    case .identifierInUnion: Name("\(rows.place(number).file + 1):\(rows.name(number))")
    case .identifier: rows.name(number)
    case .end(let parts): Self.end(of: rows.name(number).text, parts)
    }
  }

  func key(of sample: Int, _ source: any ImageSource) -> Name {
    if case .end(let parts) = self { return Self.end(of: source.path(of: sample), parts) }
    return Name(source.identifier(of: sample))
  }

  /// Of a path, without those that say nothing.
  static func parts(_ path: String) -> [Substring] {
    path.split(separator: "/").filter { $0 != "." }
  }

  private static func end(of path: String, _ count: Int) -> Name {
    Name(parts(path).suffix(count).joined(separator: "/"))
  }
}

/// One way tried on all images.
private struct Attempt {
  /// Rows that share what is compared, and are not the same.
  private static let ambiguous: Int32 = -1

  private let way: Way
  private var known: [Name: Int32]
  /// The first sample that took each row, where different images may ask for the same one.
  private var takers: [Int32: Int] = [:]
  /// The row of each sample, as far as there is one.
  private(set) var numbers: [Int32] = []
  private(set) var missing = 0
  private(set) var firstMissing: [Int] = []
  var found: Int { numbers.count - missing }

  init(_ way: Way, _ rows: NamedRows) throws {
    self.way = way
    known = Dictionary(minimumCapacity: rows.count)
    for number in 0..<rows.count {
      Heartbeat.beat()
      let key = way.key(ofRow: number, rows)
      guard let other = known.updateValue(Int32(number), forKey: key) else { continue }
      known[key] = other
      if other == Self.ambiguous { continue }
      if try rows.areSame(Int(other), number) { continue }
      let file = rows.place(number).file
      // Names mean something in their own file; across files, as the ends of paths, they may be of different images.
      if !way.comparesEnds, rows.place(Int(other)).file == file {
        throw DataError(
          rows.files[file].path,
          "'\(rows.name(number).text.printableName)' has two rows that differ",
          remedy: "Embed the images again, each once.")
      }
      known[key] = Self.ambiguous
    }
  }

  mutating func find(_ sample: Int, of source: any ImageSource) {
    Heartbeat.beat()
    let number = known[way.key(of: sample, source)] ?? Self.ambiguous
    numbers.append(number)
    if number != Self.ambiguous, isFree(number, for: sample, of: source) { return }
    missing += 1
    if firstMissing.count < 3 { firstMissing.append(sample) }
  }

  /// Whether nobody else has the row: by the ends of their paths two images may look like one.
  private mutating func isFree(_ number: Int32, for sample: Int, of source: any ImageSource) -> Bool {
    guard way.comparesEnds, let other = takers.updateValue(sample, forKey: number) else { return true }
    return Name(source.path(of: other)) == Name(source.path(of: sample))
  }
}
