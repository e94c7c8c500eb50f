import Datasets
import Files

/// The rows of all files, numbered through.
struct NamedRows: Sendable {
  let files: [EmbeddingFile]
  /// The first number of each file, and the count of all.
  private let starts: [Int]

  init(_ files: [EmbeddingFile]) {
    self.files = files
    starts = files.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.names.count) }
  }

  var count: Int { starts[files.count] }

  func place(_ number: Int) -> (file: Int, row: Int) {
    var file = 0
    while starts[file + 1] <= number { file += 1 }
    return (file, number - starts[file])
  }

  func name(_ number: Int) -> Name {
    let (file, row) = place(number)
    return files[file].names[row]
  }

  func withName<Result>(_ number: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let (file, row) = place(number)
    return files[file].names.withBytes(of: row, body)
  }

  /// See `EmbeddingFile`.
  func change(ofRow number: Int, _ source: any ImageSource, _ sample: Int) throws -> ImageChange? {
    let (file, row) = place(number)
    return try files[file].change(ofRow: row, source, sample)
  }

  func areSame(_ a: Int, _ b: Int) throws -> Bool {
    let (a, b) = (place(a), place(b))
    return try files[a.file].isSame(a.row, as: b.row, of: files[b.file])
  }
}

/// What of the names is compared.
enum NameWay: Sendable {
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

  /// Replaces `key` by what of a row's name is compared.
  func write(_ number: Int, of rows: NamedRows, to key: inout [UInt8]) {
    key.removeAll(keepingCapacity: true)
    switch self {
    case .identifierInUnion:
      key.append(contentsOf: "\(rows.place(number).file + 1):".utf8)
      rows.withName(number) { key.append(contentsOf: $0) }
    case .identifier: rows.withName(number) { key.append(contentsOf: $0) }
    case .end(let parts): rows.withName(number) { Self.writeEnd(of: $0, parts, to: &key) }
    }
  }

  /// The same of an image.
  func write(_ sample: Int, of source: any ImageSource, to key: inout [UInt8]) {
    key.removeAll(keepingCapacity: true)
    if case .end(let parts) = self {
      var path = source.path(of: sample)
      path.withUTF8 { Self.writeEnd(of: UnsafeRawBufferPointer($0), parts, to: &key) }
    } else {
      key.append(contentsOf: source.identifier(of: sample).utf8)
    }
  }

  private static func writeEnd(of path: UnsafeRawBufferPointer, _ count: Int, to key: inout [UInt8]) {
    for part in parts(path, last: count).reversed() {
      if !key.isEmpty { key.append(UInt8(ascii: "/")) }
      key.append(contentsOf: path[part])
    }
  }

  /// The parts of a path, without those that say nothing, from the last one on.
  static func parts(_ path: UnsafeRawBufferPointer, last count: Int = .max) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var end = path.count
    while parts.count < count, end > 0 {
      let start = (path[..<end].lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
      let isIdle = start == end || start == end - 1 && path[start] == UInt8(ascii: ".")
      if !isIdle { parts.append(start..<end) }
      end = start - 1
    }
    return parts
  }
}

/// Rows found by what of their names is compared: by digests of 64 bits, then byte by byte. About 20 bytes a row.
struct RowIndex {
  private static let empty: Int32 = -1

  private let way: NameWay
  private let rows: NamedRows
  /// A power of two of places, at least twice as many as rows: each the first row of a name, or `empty`.
  private var slots: [Int32]
  /// Of each row.
  private var digests: [UInt64] = []
  /// Rows whose name others have that are not the same.
  private var ambiguous: Set<Int32> = []
  private var (key, other): ([UInt8], [UInt8]) = ([], [])

  /// - Throws: `DataError` where one name has rows in a file that differ.
  init(_ way: NameWay, _ rows: NamedRows) throws {
    self.way = way
    self.rows = rows
    var size = 2
    while size < 2 * rows.count { size *= 2 }
    slots = [Int32](repeating: Self.empty, count: size)
    digests.reserveCapacity(rows.count)
    for number in 0..<rows.count {
      Heartbeat.beat()
      way.write(number, of: rows, to: &key)
      digests.append(digest)
      let slot = slot()
      guard slots[slot] == Self.empty else {
        try add(number, besides: slots[slot])
        continue
      }
      slots[slot] = Int32(number)
    }
  }

  private mutating func add(_ number: Int, besides first: Int32) throws {
    if try ambiguous.contains(first) || rows.areSame(Int(first), number) { return }
    let file = rows.place(number).file
    // Names mean something in their own file; across files, as the ends of paths, they may be of different images.
    if !way.comparesEnds, rows.place(Int(first)).file == file {
      throw DataError(
        rows.files[file].path,
        "'\(rows.name(number).text.printableName)' has two rows that differ",
        remedy: "Embed the images again, each once.")
    }
    ambiguous.insert(first)
  }

  private var digest: UInt64 { key.withUnsafeBytes { Digest(of: $0).low } }

  /// The place of `key`: its row stands there, or none.
  private mutating func slot() -> Int {
    let digest = digest
    var slot = Int(truncatingIfNeeded: digest) & (slots.count - 1)
    while slots[slot] != Self.empty {
      if digests[Int(slots[slot])] == digest {
        way.write(Int(slots[slot]), of: rows, to: &other)
        if other == key { return slot }
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    return slot
  }

  /// The row of an image; nil where there is none, or several that differ.
  mutating func row(of sample: Int, _ source: any ImageSource) -> Int32? {
    way.write(sample, of: source, to: &key)
    let row = slots[slot()]
    return row == Self.empty || ambiguous.contains(row) ? nil : row
  }
}
