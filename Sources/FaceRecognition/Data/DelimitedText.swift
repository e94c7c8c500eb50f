import Foundation

/// A text file of lines and fields: UTF-8, LF or CRLF, with or without a byte order mark; fields may stand in quotes.
///
/// Works on bytes: lists of this field have millions of lines.
package struct DelimitedText: Sendable {
  package enum Separator: Sendable {
    case tab, comma
    /// Any number of blanks and tabs.
    case whitespace
  }

  package typealias Field = Range<Int>

  package let path: String
  private let bytes: [UInt8]
  /// Each line without its end.
  package let lines: [Range<Int>]

  /// - Throws: `FileError` where the file cannot be read.
  package init(path: String) throws(FileError) { self.init(try Self.contents(path), path: path) }

  /// `path` is for messages.
  package init(_ bytes: [UInt8], path: String) {
    self.path = path
    self.bytes = bytes
    var lines: [Range<Int>] = []
    var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: 10) ?? bytes.count
      lines.append(start..<(end > start && bytes[end - 1] == 13 ? end - 1 : end))
      start = end + 1
    }
    while let last = lines.last, last.isEmpty { lines.removeLast() }
    self.lines = lines
  }

  /// What separates the fields of a line: tabs if it has one, else commas if it has one, else blanks.
  package func separator(of line: Range<Int>) -> Separator {
    bytes[line].contains(9) ? .tab : bytes[line].contains(44) ? .comma : .whitespace
  }

  /// The fields of a line, without quotes and the blanks around them.
  package func fields(_ line: Range<Int>, _ separator: Separator, into fields: inout [Field]) {
    fields.removeAll(keepingCapacity: true)
    var position = line.lowerBound
    if separator == .whitespace {
      while true {
        while position < line.upperBound, Self.isBlank(bytes[position]) { position += 1 }
        guard position < line.upperBound else { return }
        let start = position
        while position < line.upperBound, !Self.isBlank(bytes[position]) { position += 1 }
        fields.append(unquoted(start..<position))
      }
    }
    let mark: UInt8 = separator == .tab ? 9 : 44
    while true {
      let start = position
      var isQuoted = false
      while position < line.upperBound, isQuoted || bytes[position] != mark {
        if bytes[position] == 34 { isQuoted.toggle() }
        position += 1
      }
      fields.append(unquoted(start..<position))
      guard position < line.upperBound else { return }
      position += 1
    }
  }

  /// Nil where it is not UTF-8. A doubled quote is one.
  package func string(_ field: Field) -> String? {
    guard let text = String(validating: bytes[field], as: UTF8.self) else { return nil }
    return text.utf8.contains(34) ? text.replacing("\"\"", with: "\"") : text
  }

  /// For messages: bytes that are not UTF-8 are replaced, and long texts cut.
  package func shown(_ field: Field) -> String {
    String(decoding: bytes[field].prefix(80), as: UTF8.self) + (field.count > 80 ? "…" : "")
  }

  /// Nil where it is no number; NaN and infinity are numbers here.
  package func number(_ field: Field) -> Double? {
    // Digits alone, not Double's own "0x1p3".
    bytes[field].contains(120) || bytes[field].contains(88) ? nil : string(field).flatMap(Double.init)
  }

  /// Nil where it is no whole number.
  package func integer(_ field: Field) -> Int? { string(field).flatMap { Int($0) } }

  /// Whether a line says nothing: empty, blank, or a comment.
  package func isIdle(_ line: Range<Int>) -> Bool {
    bytes[line].first { !Self.isBlank($0) }.map { $0 == 35 } ?? true
  }

  private func unquoted(_ field: Field) -> Field {
    var (start, end) = (field.lowerBound, field.upperBound)
    while start < end, Self.isBlank(bytes[start]) { start += 1 }
    while start < end, Self.isBlank(bytes[end - 1]) { end -= 1 }
    return end - start >= 2 && bytes[start] == 34 && bytes[end - 1] == 34 ? (start + 1)..<(end - 1) : start..<end
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

  private static func contents(_ path: String) throws(FileError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError("read", path) }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw FileError("read", path, code: EISDIR) }
    var result: [UInt8] = []
    result.reserveCapacity(Int(status.st_size))
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = read(descriptor, &piece, piece.count)
      if count == 0 { return result }
      if count < 0 && errno != EINTR { throw FileError("read", path) }
      if count > 0 { result.append(contentsOf: piece[..<count]) }
    }
  }
}
