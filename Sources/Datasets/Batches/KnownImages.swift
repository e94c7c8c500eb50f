import Files
import Synchronization

/// Images that are known by their bytes. Whatever else is read is compared with them on the way, at the cost of a digest: so a
/// set of millions is searched for them without being read for that.
package final class KnownImages: Sendable {
  /// The lower half of an image's `Digest`: of 10 million images and 100,000 known ones, two differ and have the same once in
  /// ten million times.
  package typealias Key = UInt64

  /// Of each known image, which of the caller's groups it is of.
  private let groups: [Key: Int]
  private let found = Mutex<[Int: Int]>([:])

  package init(_ groups: [Key: Int]) { self.groups = groups }

  package static func key(of bytes: UnsafeRawBufferPointer) -> Key { Digest(of: bytes).low }

  /// Notes the sample where its bytes are known. From any thread.
  func look(at bytes: UnsafeRawBufferPointer, of sample: Int) {
    guard let group = groups[Self.key(of: bytes)] else { return }
    found.withLock { $0[sample] = group }
  }

  /// The samples that were found since the last call, with their groups, by their numbers.
  package func news() -> [(sample: Int, group: Int)] {
    found.withLock { found in
      defer { found.removeAll() }
      return found.map { ($0.key, $0.value) }.sorted { $0.sample < $1.sample }
    }
  }
}
