/// A value that stands in files as the text that a person would type for it.
package protocol CodedAsText: Codable, CustomStringConvertible, Sendable {
  /// nil for text that means no such value.
  init?(_ text: String)
  /// What such a text is, for messages: "a number of steps from 1 to 10".
  static var meaning: String { get }
  /// Whether it is what `meaning` describes: code may make others.
  var isPossible: Bool { get }
}

extension CodedAsText {
  package var isPossible: Bool { true }

  /// - Throws: `NumberError` that says what is needed.
  package init(given text: String) throws(NumberError) {
    guard let value = Self(text) else { throw NumberError(description: Self.meaning + " is needed") }
    self = value
  }

  /// Reads the text.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    // Older files have numbers of steps as numbers.
    let text = try (try? container.decode(Int.self)).map { "\($0)" } ?? container.decode(String.self)
    guard let value = Self(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not \(Self.meaning)")
    }
    self = value
  }

  /// Writes the text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
