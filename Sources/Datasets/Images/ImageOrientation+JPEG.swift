extension ImageOrientation {
  private static let xmpMark = Array("http://ns.adobe.com/xap/1.0/\0".utf8)

  /// That of a JPEG file's segments before the picture: those of EXIF are one structure, and of XMP the last counts.
  init(ofJPEG file: UnsafeRawBufferPointer) {
    var (exif, xmp): ([UInt8], [UInt8]) = ([], [])
    var position = 2
    while let segment = Self.segment(of: file, &position) {
      guard segment.marker == 0xE1 else { continue }
      let content = file[segment.content]
      if content.starts(with: EXIF.mark) {
        // The mark of the first is dropped where the structure is read, once or twice.
        exif += exif.isEmpty ? content[...] : content.dropFirst(EXIF.mark.count)
      } else if content.starts(with: Self.xmpMark) {
        xmp = Array(content.dropFirst(Self.xmpMark.count))
      }
    }
    self.init(exif: exif, xmp: xmp)
  }

  /// The next segment before the picture. Bytes between segments are passed over, as libjpeg does.
  private static func segment(
    of file: UnsafeRawBufferPointer, _ position: inout Int
  ) -> (marker: UInt8, content: Range<Int>)? {
    while position + 4 <= file.count {
      let marker = file[position + 1]
      guard file[position] == 0xFF, marker != 0xFF, marker != 0 else {
        position += 1
        continue
      }
      switch marker {
      // The picture begins, or there is none.
      case 0xDA, 0xD9: return nil
      // Marks without a segment.
      case 0x01, 0xD0...0xD8: position += 2
      default:
        let length = Int(file[position + 2]) << 8 | Int(file[position + 3])
        let content = (position + 4)..<(position + 2 + max(length, 2))
        guard content.upperBound <= file.count else { return nil }
        position = content.upperBound
        return (marker, content)
      }
    }
    return nil
  }
}
