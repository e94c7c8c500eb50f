package import Foundation

/// Values as JSON, keys in order: the same bytes for the same value.
package enum JSONText {
  /// On one line, without its end.
  package static func line(_ value: some Encodable) throws -> Data { try encode(value, []) }

  /// Indented, for files that people read, with an end behind the last line.
  package static func indented(_ value: some Encodable) throws -> Data {
    try encode(value, .prettyPrinted) + Data("\n".utf8)
  }

  private static func encode(_ value: some Encodable, _ more: JSONEncoder.OutputFormatting) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, more]
    return try encoder.encode(value)
  }
}
