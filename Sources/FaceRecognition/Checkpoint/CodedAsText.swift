/// A value that stands in files as the text that a person would type for it.
package protocol CodedAsText: Codable, CustomStringConvertible {
  /// nil for text that means no such value.
  init?(_ text: String)
  /// What such a text is, for messages: "a number of steps".
  static var meaning: String { get }
}

extension CodedAsText {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Self(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not \(Self.meaning)")
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
