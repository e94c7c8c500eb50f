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
  package func inventory() throws -> ImageInventory {
    var absent: [BadImage] = []
    var stream = DigestStream()
    for sample in 0..<count {
      Heartbeat.beat()
      var name = identifier(of: sample)
      name.withUTF8 { stream.update(UnsafeRawBufferPointer($0)) }
      // The zero ends the name: no name contains one, so no two lists of images hash the same bytes.
      let size: Int
      do {
        size = try encodedSize(of: sample)
      } catch let error as DataError {
        size = 0
        absent.append(BadImage(sample: sample, identifier: name, reason: error.reason))
      }
      var numbers = (UInt64(0), UInt64(label(of: sample)).littleEndian, UInt64(size).littleEndian)
      withUnsafeBytes(of: &numbers) { stream.update($0) }
    }
    return ImageInventory(fingerprint: "\(stream.digest)", absent: absent)
  }
}
