import Files
import Foundation

/// How far a packing has come: what a later start needs to go on.
struct PackingJournal: Codable, Equatable {
  /// `ImageSource.fingerprint()` of the images.
  let images: String
  let reencoding: ImageReencoding
  let hasRanges: Bool
  /// Images done, skipped ones included.
  var done = 0
  /// Bytes of the .rec so far, which are on the disk.
  var bytes = 0
  /// Of the records in them.
  var digest: Digest?
  var skipped: [BadImage] = []
  /// Of the first image stored.
  var width = 0
  var height = 0

  /// The journal at `path`; nil where there is none, or its text is damaged.
  ///
  /// - Throws: `DataError` where it cannot be read: the work that it knows of must not be begun anew for that.
  static func read(_ path: String) throws -> PackingJournal? {
    guard FilePath.exists(path) else { return nil }
    let file = try MappedFile(path: path)
    defer { withExtendedLifetime(file) {} }
    return try? JSONDecoder().decode(PackingJournal.self, from: Data(file.bytes))
  }

  func write(to path: String) throws { try AtomicFile.write(JSONEncoder().encode(self), to: path) }

  /// Whether both are of the same work.
  func isOfSameWork(as other: PackingJournal) -> Bool {
    (images, reencoding, hasRanges) == (other.images, other.reencoding, other.hasRanges)
  }
}
