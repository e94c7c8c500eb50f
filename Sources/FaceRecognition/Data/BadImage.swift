/// An image that could not be read or decoded.
package struct BadImage: Codable, Equatable, Sendable {
  /// Its index in the source: the key by which ranks join their lists, since a replacement that is looked for on one
  /// rank may be the sample of another.
  package let sample: Int
  /// Its path relative to the source's root.
  package let identifier: String
  package let reason: String
}
