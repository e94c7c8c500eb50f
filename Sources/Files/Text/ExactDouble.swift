import Foundation

/// A Double that a file keeps to the last bit, and that a person can read there: `{"bits": "3ff0…", "value": 1}`.
package struct ExactDouble: Codable, Equatable, Sendable {
  package let value: Double

  package init(_ value: Double) { self.value = value }

  private enum CodingKeys: String, CodingKey { case bits, value }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let text = try container.decode(String.self, forKey: .bits)
    guard text.utf8.count == 16, let bits = UInt64(text, radix: 16), Double(bitPattern: bits).isFinite else {
      throw DecodingError.dataCorruptedError(
        forKey: .bits, in: container, debugDescription: "'\(text.prefix(40))' are no 16 hex digits of a finite Double")
    }
    value = Double(bitPattern: bits)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(value.bitPattern.digits(16, radix: 16), forKey: .bits)
    try container.encode(value, forKey: .value)
  }
}
