import CXXHash
import Files

/// What a set of images holds, as far as it shows without reading one.
package struct ImageInventory: Sendable {
  /// 32 hexadecimal digits that two ranks, or two runs, share where they see the same names, labels and file sizes in
  /// the same order. A file that is not there counts as one of no size.
  package let fingerprint: String
  /// Images that are no files: not there, broken links, folders or pipes of an image's name.
  package let absent: [BadImage]
}

extension ImageSource {
  package func fingerprint() throws -> String { try inventory().fingerprint }

  /// Looks at every file, and reads none.
  ///
  /// XXH3, 128 bits. The corresponding C functions are `XXH3_128bits_update` and `XXH3_128bits_digest`.
  package func inventory() throws -> ImageInventory {
    var absent: [BadImage] = []
    guard let state = XXH3_createState() else { fatalError("Out of memory for a hash state") }
    defer { XXH3_freeState(state) }
    XXH3_128bits_reset(state)
    for sample in 0..<count {
      Heartbeat.beat()
      var name = identifier(of: sample)
      name.withUTF8 { _ = XXH3_128bits_update(state, $0.baseAddress, $0.count) }
      // The zero ends the name: no name contains one, so no two lists of images hash the same bytes.
      let size: Int
      do {
        size = try encodedSize(of: sample)
      } catch let error as DataError {
        size = 0
        absent.append(BadImage(sample: sample, identifier: name, reason: error.reason))
      }
      var numbers = (UInt64(0), UInt64(label(of: sample)).littleEndian, UInt64(size).littleEndian)
      withUnsafeBytes(of: &numbers) { _ = XXH3_128bits_update(state, $0.baseAddress, $0.count) }
    }
    let hash = XXH3_128bits_digest(state)
    let digits = [hash.high64, hash.low64].map { half in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    return ImageInventory(fingerprint: digits.joined(), absent: absent)
  }
}
