import Files

/// What a set of images holds, as far as it shows without reading one.
package struct ImageInventory: Sendable {
  /// 32 hexadecimal digits that two ranks, or two runs, share where they see the same names, labels and file sizes in
  /// the same order. A file that is not there counts as one of no size.
  package let fingerprint: String
  /// Bytes of each image's file; 0 where there is none.
  package let sizes: [Int]
  /// Images that are no files: not there, broken links, folders or pipes of an image's name.
  package let absent: [BadImage]
}

extension ImageSource {
  package func fingerprint() throws -> String { try inventory().fingerprint }

  /// The same of names and labels alone, for sets whose images nobody reads: they need not be there.
  package var fingerprintOfNames: String {
    var stream = DigestStream()
    for sample in 0..<count {
      Heartbeat.beat()
      add(sample, size: 0, name: identifier(of: sample), to: &stream)
    }
    return "\(stream.digest)"
  }

  private func add(_ sample: Int, size: Int, name: String, to stream: inout DigestStream) {
    var name = name
    name.withUTF8 { stream.update(UnsafeRawBufferPointer($0)) }
    // The zero ends the name: no name contains one, so no two lists of images hash the same bytes.
    var numbers = (UInt64(0), UInt64(label(of: sample)).littleEndian, UInt64(size).littleEndian)
    withUnsafeBytes(of: &numbers) { stream.update($0) }
  }

  /// Looks at every file, and reads none.
  package func inventory() throws -> ImageInventory {
    var absent: [BadImage] = []
    var sizes: [Int] = []
    sizes.reserveCapacity(count)
    var stream = DigestStream()
    for sample in 0..<count {
      Heartbeat.beat()
      let name = identifier(of: sample)
      let size: Int
      do {
        size = try encodedSize(of: sample)
      } catch let error as DataError {
        size = 0
        absent.append(BadImage(sample: sample, identifier: name, reason: error.reason))
      }
      sizes.append(size)
      add(sample, size: size, name: name, to: &stream)
    }
    return ImageInventory(fingerprint: "\(stream.digest)", sizes: sizes, absent: absent)
  }
}
