/// Reads the JSON of a safetensors header token by token.
///
/// Its own, and not Foundation's, because the format needs what dictionaries lose: the order of the names, names given
/// twice, and the byte at which something is wrong. Strings, whole numbers and punctuation are all that such a header may
/// hold, so nothing here recurses. JSON: RFC 8259.
struct HeaderScanner {
  /// The header alone.
  private let bytes: UnsafeRawBufferPointer
  private let path: String
  private var position = 0

  /// Where the header starts in the file: after its length, a 64-bit integer.
  private static let start = 8

  init(_ bytes: UnsafeRawBufferPointer, path: String) {
    self.bytes = bytes
    self.path = path
  }

  /// The byte of the file that is read next.
  var offset: Int { Self.start + position }

  func error(_ reason: String, at offset: Int? = nil, tensor: String? = nil) -> SafetensorsError {
    SafetensorsError(path: path, tensor: tensor, offset: offset ?? self.offset, reason: reason)
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }

  /// Takes `character` if it comes next.
  mutating func take(_ character: Character) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == character.asciiValue else { return false }
    position += 1
    return true
  }

  mutating func expect(_ character: Character) throws(SafetensorsError) {
    guard take(character) else {
      throw error("the header has \(describeNext()) where '\(character)' is needed")
    }
  }

  /// Only white space may follow.
  mutating func expectEnd() throws(SafetensorsError) {
    skipSpace()
    guard position == bytes.count else { throw error("the header goes on with \(describeNext()) after its end") }
  }

  /// Calls `body` before each element of a list in brackets; `body` reads it.
  mutating func list(
    _ open: Character, _ close: Character, _ body: (inout HeaderScanner) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    try expect(open)
    if take(close) { return }
    repeat { try body(&self) } while take(",")
    try expect(close)
  }

  mutating func wholeNumber() throws(SafetensorsError) -> Int {
    skipSpace()
    let first = position
    var value = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(Int(bytes[position] - 0x30))
      guard !overflow, !carry else { throw error("a number is too large", at: Self.start + first) }
      value = sum
      position += 1
    }
    // "-1", "1.0" and "1e3" end here; "007" is no JSON.
    let stopped = position < bytes.count && ".eE+-".utf8.contains(bytes[position])
    guard position > first, !stopped, position == first + 1 || bytes[first] != 0x30 else {
      position = first
      throw error("the header has \(describeNext()) where a whole number, 0 or more, is needed")
    }
    return value
  }

  mutating func string() throws(SafetensorsError) -> String {
    try expect("\"")
    let first = position
    var units: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: units, as: UTF8.self) else {
          throw error("a string is not UTF-8", at: Self.start + first)
        }
        return text
      case UInt8(ascii: "\\"): units += try escaped().utf8
      case ..<0x20: throw error("a string holds the control character \(byte)", at: offset - 1)
      default: units.append(byte)
      }
    }
    throw error("a string does not end", at: Self.start + first)
  }

  /// The character of an escape whose backslash has been read.
  private mutating func escaped() throws(SafetensorsError) -> String {
    let simple: [UInt8: String] = [
      UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/", UInt8(ascii: "b"): "\u{8}",
      UInt8(ascii: "f"): "\u{C}", UInt8(ascii: "n"): "\n", UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
    ]
    let place = offset - 1
    guard position < bytes.count else { throw error("a string does not end", at: place) }
    let letter = bytes[position]
    position += 1
    if let text = simple[letter] { return text }
    guard letter == UInt8(ascii: "u"), let unit = hexUnit() else { throw error("a string has a bad escape", at: place) }
    if let scalar = Unicode.Scalar(unit) { return String(scalar) }
    // Half of a surrogate pair: the other must follow.
    guard (0xD800..<0xDC00).contains(unit), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    else { throw error("a string has half of a surrogate pair", at: place) }
    position += 2
    guard let low = hexUnit(), (0xDC00..<0xE000).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
    else { throw error("a string has half of a surrogate pair", at: place) }
    return String(scalar)
  }

  private mutating func hexUnit() -> UInt16? {
    guard position + 4 <= bytes.count else { return nil }
    let digits = bytes[position..<position + 4]
    guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
    position += 4
    return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  private func describeNext() -> String {
    guard position < bytes.count else { return "its end" }
    let byte = bytes[position]
    return (0x21..<0x7F).contains(byte) ? "'\(Character(Unicode.Scalar(byte)))'" : "the byte \(byte)"
  }
}
