package import Files

/// An image that could not be read or decoded.
package struct BadImage: Codable, Equatable, Sendable {
  /// Its index in the source: the key by which ranks join their lists, since a replacement that is looked for on one
  /// rank may be the sample of another.
  package let sample: Int
  /// Its path relative to the source's root.
  package let identifier: String
  package let reason: String

  package init(sample: Int, identifier: String, reason: String) {
    (self.sample, self.identifier, self.reason) = (sample, identifier, reason)
  }

  /// How many of `count` images may be bad where a `share` of them may, from 0 to 1: whole images.
  package static func limit(_ share: Double, of count: Int) -> Int { Int(share * Double(count)) }
}

extension DataError {
  /// So many images in a row cannot be read that no other is tried.
  package static func noImage(after bad: [BadImage], in source: any ImageSource) -> DataError {
    DataError(
      source.path(of: bad[0].sample),
      "neither this image nor the \(bad.count - 1) after it can be read; \(bad[0].reason)",
      remedy: "Check that the storage is there.")
  }

  /// None of a person's images, all of them listed, can be read.
  package static func noImage(of person: Name, in location: String, _ bad: [BadImage]) -> DataError {
    DataError(
      "\(location)/\(person)",
      "none of the \(bad.count) images of this person can be read; \(bad[0].identifier): \(bad[0].reason)",
      remedy: "Mend the images or remove the person.")
  }
}
