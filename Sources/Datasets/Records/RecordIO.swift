import Files

/// The framing of MXNet's RecordIO files (dmlc-core's `recordio.h`), little-endian.
///
///     part   = magic (4 bytes), kind << 29 | length (4 bytes), length bytes, zeros up to a multiple of 4 bytes
///     record = one part, or several
///
/// Where the magic number stands in a record at a multiple of 4 bytes, the writer cuts there and leaves it out; a reader
/// puts it back between the parts. So whoever looks for the magic number finds the beginnings of parts alone.
enum RecordIO {
  static let magic: UInt32 = 0xCED7_230A
  /// Records are shorter, parts together.
  static let lengthLimit = 1 << 29

  enum PartKind: UInt32 {
    case whole, first, middle, last
  }

  /// Where a record lies in its file.
  struct Span: Equatable {
    /// From the magic number of its first part to past the padding of its last.
    let range: Range<Int>
    /// Bytes of the record.
    let length: Int
    let isWhole: Bool
  }

  /// The record that begins at `offset` of a file's bytes.
  ///
  /// - Throws: `DataError` of `path` where no whole record begins there.
  static func span(at offset: Int, in file: UnsafeRawBufferPointer, path: String) throws(DataError) -> Span {
    func failure(_ reason: String) -> DataError {
      DataError(
        path, "the record at byte \(offset) \(reason)",
        remedy: "The file is not whole, or damaged: copy it again from where it came, or make it again.")
    }
    guard offset >= 0, offset % 4 == 0, file.count - offset >= 8 else {
      throw failure("is cut off: the file has \(file.count) bytes")
    }
    var position = offset
    var length = 0
    while true {
      guard file.count - position >= 8 else { throw failure("is cut off: the file has \(file.count) bytes") }
      guard word(file, position) == magic else {
        throw failure(
          position == offset
            ? "does not begin with RecordIO's magic number"
            : "has a part at byte \(position) that does not begin with RecordIO's magic number")
      }
      let code = word(file, position + 4)
      let kind = PartKind(rawValue: code >> 29)
      guard let kind, (position == offset) == (kind == .whole || kind == .first) else {
        throw failure("has a part of kind \(code >> 29) where it cannot be")
      }
      let partLength = Int(code) & (lengthLimit - 1)
      let padded = (partLength + 3) & ~3
      guard padded <= file.count - position - 8 else {
        throw failure("asks for \(partLength) bytes where the file has \(file.count - position - 8) left")
      }
      // The magic number between parts belongs to the record.
      length += partLength + (position == offset ? 0 : 4)
      guard length < lengthLimit else { throw failure("is of \(length) bytes or more; \(lengthLimit - 1) are allowed") }
      position += 8 + padded
      if kind == .whole || kind == .last {
        return Span(range: offset..<position, length: length, isWhole: kind == .whole)
      }
    }
  }

  /// Calls `body` with the bytes of a record: those of the file, or joined in `scratch` where it has several parts.
  static func withBytes<Result>(
    of span: Span, in file: UnsafeRawBufferPointer, scratch: ByteBuffer,
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    let start = span.range.lowerBound
    if span.isWhole { return try body(UnsafeRawBufferPointer(rebasing: file[(start + 8)..<(start + 8 + span.length)])) }
    let buffer = scratch.reserve(span.length)
    var (position, filled) = (start, 0)
    while position < span.range.upperBound {
      if filled > 0 || position > start {
        buffer.storeBytes(of: magic.littleEndian, toByteOffset: filled, as: UInt32.self)
        filled += 4
      }
      let partLength = Int(word(file, position + 4)) & (lengthLimit - 1)
      let part = UnsafeRawBufferPointer(rebasing: file[(position + 8)..<(position + 8 + partLength)])
      UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).copyMemory(from: part)
      filled += partLength
      position += 8 + (partLength + 3) & ~3
    }
    return try body(UnsafeRawBufferPointer(buffer))
  }

  /// Appends a record of these bytes to a file's, in as many parts as it needs.
  static func append(_ record: UnsafeRawBufferPointer, to file: inout [UInt8]) {
    precondition(record.count < lengthLimit, "A record of \(record.count) bytes; \(lengthLimit - 1) are allowed")
    var start = 0
    var position = 0
    while position + 4 <= record.count {
      if word(record, position) == magic {
        appendPart(start == 0 ? .first : .middle, record[start..<position], to: &file)
        start = position + 4
      }
      position += 4
    }
    appendPart(start == 0 ? .whole : .last, record[start...], to: &file)
  }

  private static func appendPart(_ kind: PartKind, _ bytes: Slice<UnsafeRawBufferPointer>, to file: inout [UInt8]) {
    append(magic, to: &file)
    append(kind.rawValue << 29 | UInt32(bytes.count), to: &file)
    file.append(contentsOf: bytes)
    file.append(contentsOf: repeatElement(0, count: (4 - bytes.count % 4) % 4))
  }

  private static func append(_ word: UInt32, to file: inout [UInt8]) {
    withUnsafeBytes(of: word.littleEndian) { file.append(contentsOf: $0) }
  }

  private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}
