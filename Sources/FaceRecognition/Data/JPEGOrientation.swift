/// How a camera was held, as EXIF notes it in a JPEG file (tag 0x0112): where the picture's rows and columns belong.
enum JPEGOrientation: Int {
  case upright = 1
  case mirrored, upsideDown, flipped, transposed, rightTop, transversed, leftBottom

  /// That of a JPEG file; upright where it says nothing, or nothing that can be read, as all programs take it.
  init(of file: UnsafeRawBufferPointer) {
    self = Self.exif(of: file).flatMap(Self.value).flatMap(Self.init) ?? .upright
  }

  var swapsSides: Bool { rawValue >= 5 }

  /// Where the pixel at (x, y) of the upright picture stands in one of width x height pixels.
  func source(_ x: Int, _ y: Int, width: Int, height: Int) -> (x: Int, y: Int) {
    switch self {
    case .upright: (x, y)
    case .mirrored: (width - 1 - x, y)
    case .upsideDown: (width - 1 - x, height - 1 - y)
    case .flipped: (x, height - 1 - y)
    case .transposed: (y, x)
    case .rightTop: (y, height - 1 - x)
    case .transversed: (width - 1 - y, height - 1 - x)
    case .leftBottom: (width - 1 - y, x)
    }
  }

  /// The TIFF structure in the first EXIF segment before the picture.
  private static func exif(of file: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
    let mark = Array("Exif\0\0".utf8)
    var position = 2
    while position + 4 <= file.count, file[position] == 0xFF {
      let marker = file[position + 1]
      // The picture begins (SOS), or there is none.
      if marker == 0xDA || marker == 0xD9 { return nil }
      let length = Int(file[position + 2]) << 8 | Int(file[position + 3])
      let end = position + 2 + length
      guard length >= 2, end <= file.count else { return nil }
      if marker == 0xE1, length >= 8, file[(position + 4)..<(position + 10)].elementsEqual(mark) {
        return file[(position + 10)..<end]
      }
      position = end
    }
    return nil
  }

  /// The tag's value in the first directory of a TIFF structure.
  private static func value(_ tiff: Slice<UnsafeRawBufferPointer>) -> Int? {
    guard tiff.count >= 8 else { return nil }
    let base = tiff.startIndex
    let isLittle = tiff[base] == UInt8(ascii: "I")
    guard isLittle || tiff[base] == UInt8(ascii: "M") else { return nil }
    func number(_ offset: Int, _ size: Int) -> Int? {
      guard offset >= 0, offset <= tiff.count - size else { return nil }
      let bytes = tiff[(base + offset)..<(base + offset + size)]
      return isLittle ? bytes.reversed().reduce(0) { $0 << 8 | Int($1) } : bytes.reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(4, 4), let count = number(directory, 2) else { return nil }
    for entry in 0..<count {
      let offset = directory + 2 + 12 * entry
      guard let tag = number(offset, 2) else { return nil }
      // Type 3: a number of two bytes.
      if tag == 0x0112 { return number(offset + 2, 2) == 3 ? number(offset + 8, 2) : nil }
    }
    return nil
  }
}
