/// The name of a person, an image or a file: equal where the bytes are.
///
/// To `String`, `é` as one scalar and `e` with an accent behind it are the same text; to a disk they are two names. A name
/// that is a key, or is compared, is a `Name`.
package struct Name: Sendable {
  package let text: String

  package init(_ text: some StringProtocol) { self.text = String(text) }
}

extension Name {
  /// A name that need not be UTF-8, as text: bytes that are none are shown as `\xFF`.
  package static func text(of bytes: some Collection<UInt8>) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    var text = ""
    var decoder = UTF8()
    var rest = bytes[...]
    while !rest.isEmpty {
      var iterator = rest.makeIterator()
      if case .scalarValue(let scalar) = decoder.decode(&iterator) {
        text.unicodeScalars.append(scalar)
        rest = rest.dropFirst(UTF8.width(scalar))
      } else {
        let digits = String(rest.first!, radix: 16, uppercase: true)
        text += "\\x" + digits
        rest = rest.dropFirst()
      }
      decoder = UTF8()
    }
    return text
  }
}

extension Name: Hashable {
  package static func == (a: Name, b: Name) -> Bool { a.withBytes { a in b.withBytes { b in a.elementsEqual(b) } } }

  package func hash(into hasher: inout Hasher) {
    withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(0xFF as UInt8)
  }

  private func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    if let result = text.utf8.withContiguousStorageIfAvailable(body) { return result }
    var copy = text
    return copy.withUTF8(body)
  }
}

extension Name: Comparable {
  /// By bytes, the same in every locale.
  package static func < (a: Name, b: Name) -> Bool {
    a.withBytes { a in b.withBytes { b in a.lexicographicallyPrecedes(b) } }
  }
}

extension Name: ExpressibleByStringLiteral {
  package init(stringLiteral text: String) { self.init(text) }
}

extension Name: Codable {
  package init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(String.self)) }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

extension Name: CustomStringConvertible {
  package var description: String { text }
}
