import Files

/// A RecordIO file's `.idx`: a line `key<TAB>offset` for each record.
enum RecordIndex {
  struct Entry: Equatable {
    let key: Int
    let offset: Int
  }

  /// The entries, by offset.
  ///
  /// - Throws: `DataError` naming the line that is none, a key or an offset that stands there twice.
  static func read(_ path: String) throws(DataError) -> [Entry] {
    let file = try MappedFile(path: path)
    defer { withExtendedLifetime(file) {} }
    var entries: [Entry] = []
    // A byte order mark, where an editor put one.
    var reader = DecimalLines(
      file.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? .init(rebasing: file.bytes[3...]) : file.bytes)
    while !reader.isAtEnd {
      guard let key = reader.number(), reader.skip(UInt8(ascii: "\t")), let offset = reader.number(), reader.endLine()
      else {
        throw DataError(path, "line \(entries.count + 1) is not 'key<TAB>offset'", remedy: remedy)
      }
      entries.append(Entry(key: key, offset: offset))
    }
    entries.sort { ($0.offset, $0.key) < ($1.offset, $1.key) }
    if let place = (1..<max(entries.count, 1)).first(where: { entries[$0].offset == entries[$0 - 1].offset }) {
      throw DataError(path, "two records begin at byte \(entries[place].offset)", remedy: remedy)
    }
    let keys = entries.map(\.key).sorted()
    if let place = (1..<max(keys.count, 1)).first(where: { keys[$0] == keys[$0 - 1] }) {
      throw DataError(path, "the key \(keys[place]) stands there twice", remedy: remedy)
    }
    return entries
  }

  static let remedy = "Put the .rec's own .idx there, or take this one away: a .rec can be read without."

  /// Keys 0, 1, 2 ... for these offsets, as a file's text.
  static func text(key first: Int, offsets: some Sequence<Int>) -> [UInt8] {
    var text: [UInt8] = []
    for (key, offset) in zip(first..., offsets) { text.append(contentsOf: "\(key)\t\(offset)\n".utf8) }
    return text
  }
}

/// Whole numbers in lines of text, read in place: an index may have millions of lines.
private struct DecimalLines {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  /// Up to 18 digits, which cannot overflow.
  mutating func number() -> Int? {
    let start = position
    var value = 0
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
      guard position - start < 18 else { return nil }
      value = 10 * value + Int(bytes[position] - UInt8(ascii: "0"))
      position += 1
    }
    return position > start ? value : nil
  }

  mutating func skip(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  /// LF, CRLF, CR or the end of the file.
  mutating func endLine() -> Bool {
    let hasReturn = skip(13)
    return skip(10) || hasReturn || isAtEnd
  }
}
