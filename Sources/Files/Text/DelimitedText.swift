/// A text file of lines and fields, UTF-8 with or without a byte order mark.
///
/// A line ends with LF, CRLF or CR; the last one may lack its end. Fields are separated by tabs, commas or blanks. One that
/// holds its separator, a quote, or blanks at its ends stands in quotes, a quote inside it doubled. Lines that are empty or
/// begin with `#` say nothing.
///
/// Works on bytes: lists of this field have millions of lines, and an accent behind a separator is a character with it.
package struct DelimitedText: Sendable {
  package enum Separator: Sendable {
    case tab, comma
    /// Any number of blanks and tabs.
    case whitespace
    /// The line is one field.
    case none
  }

  /// A field's bytes, without quotes and the blanks around them.
  package struct Field: Equatable, Sendable {
    package enum Quotes { case none, closed, broken }

    package fileprivate(set) var bytes: Range<Int>
    package fileprivate(set) var quotes = Quotes.none

    package var count: Int { bytes.count }
    package var isEmpty: Bool { bytes.isEmpty }
  }

  /// Why a field is no text.
  package struct FieldError: Error, Equatable {
    package let reason: String
  }

  package let path: String
  private let bytes: ArraySlice<UInt8>
  /// Each line without its end.
  package let lines: [Range<Int>]
  /// Lines of the file before these, where this is a part of it.
  private let firstLine: Int

  /// - Throws: `FileError` where the file cannot be read, `DataError` where it is no text in UTF-8.
  package init(path: String) throws { self.init(text: try TextFile.bytes(of: path), path: path) }

  /// - Parameters:
  ///   - path: for messages.
  ///   - firstLine: lines of the file before these bytes, where they are a part of it.
  /// - Throws: `DataError` where this is no text in UTF-8.
  package init(_ bytes: [UInt8], path: String, firstLine: Int = 0) throws(DataError) {
    self.init(text: try TextFile.text(bytes, path, firstLine: firstLine), path: path, firstLine: firstLine)
  }

  private init(text: ArraySlice<UInt8>, path: String, firstLine: Int = 0) {
    self.path = path
    self.firstLine = firstLine
    bytes = text
    lines = text.withUnsafeBufferPointer { Self.lines($0, from: text.startIndex) }
  }

  private static func lines(_ text: UnsafeBufferPointer<UInt8>, from first: Int) -> [Range<Int>] {
    var lines: [Range<Int>] = []
    var start = 0
    for place in text.indices where text[place] == 10 || text[place] == 13 {
      // The second byte of a CRLF ends no line.
      if place == start, place > 0, text[place] == 10, text[place - 1] == 13 {
        start = place + 1
        continue
      }
      lines.append((first + start)..<(first + place))
      start = place + 1
    }
    if start < text.count { lines.append((first + start)..<(first + text.count)) }
    while let last = lines.last, last.isEmpty { lines.removeLast() }
    return lines
  }

  /// The number of a line in the file, counted from 1; `row` is its place in `lines`.
  package func lineNumber(_ row: Int) -> Int { firstLine + row + 1 }

  /// The places in `lines` of those that say something.
  package var rows: [Int] { lines.indices.filter { !isIdle(lines[$0]) } }

  /// Whether a line says nothing: empty, blank, or a comment.
  package func isIdle(_ line: Range<Int>) -> Bool {
    bytes[line].first { !Self.isBlank($0) }.map { $0 == 35 } ?? true
  }

  /// What separates the fields of a line: tabs if it has one, else commas if it has one, else blanks. What stands in quotes
  /// does not count.
  package func separator(of line: Range<Int>) -> Separator {
    let line = bytes[line]
    let plain = line.contains(9) ? Separator.tab : line.contains(44) ? .comma : .whitespace
    guard line.contains(34) else { return plain }
    var (isQuoted, hasComma) = (false, false)
    var last: UInt8 = 44
    for byte in line {
      if byte == 34 {
        isQuoted = isQuoted ? false : last == 44 || last == 34 || Self.isBlank(last)
      } else if !isQuoted {
        if byte == 9 { return .tab }
        if byte == 44 { hasComma = true }
      }
      last = byte
    }
    // A quote that is not closed hides nothing.
    return isQuoted ? plain : hasComma ? .comma : .whitespace
  }

  /// The fields of a line.
  package func fields(_ line: Range<Int>, _ separator: Separator, into fields: inout [Field]) {
    fields.removeAll(keepingCapacity: true)
    bytes.withUnsafeBufferPointer {
      Self.fields($0, line, separator, offset: bytes.startIndex, &fields)
    }
  }

  private static func fields(
    _ text: UnsafeBufferPointer<UInt8>, _ line: Range<Int>, _ separator: Separator, offset: Int, _ fields: inout [Field]
  ) {
    let end = line.upperBound - offset
    var position = line.lowerBound - offset
    func isMark(_ byte: UInt8) -> Bool {
      switch separator {
      case .tab: byte == 9
      case .comma: byte == 44
      case .whitespace: isBlank(byte)
      case .none: false
      }
    }
    func isFiller(_ byte: UInt8) -> Bool { isBlank(byte) && (byte == 32 || separator != .tab) }
    while true {
      while position < end, isFiller(text[position]) { position += 1 }
      if position == end && separator == .whitespace { return }
      let start = position
      var field = Field(bytes: (offset + start)..<(offset + start))
      if start < end, text[start] == 34 {
        field.quotes = .broken
        if let close = closingQuote(text, after: start, end) {
          var next = close + 1
          while next < end, isFiller(text[next]), separator != .whitespace { next += 1 }
          if next == end || isMark(text[next]) {
            field = Field(bytes: (offset + start + 1)..<(offset + close), quotes: .closed)
            position = next
          }
        }
      }
      if field.quotes != .closed {
        while position < end, !isMark(text[position]) { position += 1 }
        var last = position
        while last > start, isFiller(text[last - 1]) { last -= 1 }
        field.bytes = (offset + start)..<(offset + last)
      }
      fields.append(field)
      guard position < end else { return }
      position += 1
    }
  }

  private static func closingQuote(_ text: UnsafeBufferPointer<UInt8>, after start: Int, _ end: Int) -> Int? {
    var position = start + 1
    while position < end {
      if text[position] == 34 {
        guard position + 1 < end, text[position + 1] == 34 else { return position }
        position += 1
      }
      position += 1
    }
    return nil
  }

  package static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }
}

extension DelimitedText {
  /// The text of a field, a path's length at most. A doubled quote in quotes is one.
  package func string(_ field: Field) throws(FieldError) -> String {
    guard field.count <= FilePath.maximumLength else { throw Self.tooLong(field.count) }
    guard field.quotes != .broken else {
      throw FieldError(
        reason: "'\(shown(field))' begins with a quote that does not end it (inside quotes a quote is doubled)")
    }
    let content = bytes[field.bytes]
    let text =
      field.quotes == .closed && content.contains(34)
      ? String(validating: Self.singleQuotes(content), as: UTF8.self) : String(validating: content, as: UTF8.self)
    guard let text else { throw FieldError(reason: "'\(shown(field))' is not UTF-8") }
    return text
  }

  /// - Parameter row: the line's place in `lines`.
  /// - Throws: `DataError` naming the line.
  package func string(_ field: Field, _ row: Int) throws(DataError) -> String {
    do { return try string(field) } catch { throw DataError(path, line: lineNumber(row), error.reason) }
  }

  /// What a field is called that is longer than any path.
  package static func tooLong(_ count: Int) -> FieldError {
    FieldError(reason: "a field of \(count) bytes, where \(FilePath.maximumLength) may be")
  }

  /// Calls `body` with a field's bytes as they stand there, a doubled quote doubled.
  package func withBytes<Result>(of field: Field, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let start = bytes.startIndex
    return bytes.withUnsafeBytes {
      body(.init(rebasing: $0[(field.bytes.lowerBound - start)..<(field.bytes.upperBound - start)]))
    }
  }

  /// For messages: bytes that are not UTF-8 are replaced, and long texts cut.
  package func shown(_ field: Field) -> String { shown(field.bytes) }

  /// The same of a line.
  package func shown(_ line: Range<Int>) -> String {
    String(decoding: bytes[line].prefix(80), as: UTF8.self) + (line.count > 80 ? "…" : "")
  }

  /// Nil where it is no number; NaN and infinity are numbers here.
  package func number(_ field: Field) -> Double? {
    let content = bytes[field.bytes]
    // Digits alone, not Double's own "0x1p3".
    guard content.count <= 100, !content.contains(120), !content.contains(88) else { return nil }
    return Double(String(decoding: content, as: UTF8.self))
  }

  /// Nil where it is no whole number.
  package func integer(_ field: Field) -> Int? {
    field.count <= 20 ? Int(String(decoding: bytes[field.bytes], as: UTF8.self)) : nil
  }

  /// Whether a field reads so, to the byte.
  package func isEqual(_ field: Field, _ text: StaticString) -> Bool {
    text.withUTF8Buffer { bytes[field.bytes].elementsEqual($0) }
  }

  /// From the first of these fields to the last, with the blanks between them.
  package static func joined(_ fields: ArraySlice<Field>) -> Field {
    Field(bytes: fields.first!.bytes.lowerBound..<fields.last!.bytes.upperBound)
  }

  private static func singleQuotes(_ content: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var skips = false
    for byte in content {
      if byte == 34 && skips {
        skips = false
      } else {
        result.append(byte)
        skips = byte == 34
      }
    }
    return result
  }
}
