import FaceRecognition
import Testing

@Suite struct JPEGOrientationTests {
  /// Blocks of 8 x 8, each of one grey: 3 x 2 of them.
  private let picture = Picture(width: 24, height: 16) { x, y, _ in UInt8(40 * (x / 8 + 3 * (y / 8)) + 20) }

  private func exif(_ value: UInt16, isLittle: Bool = true, type: UInt16 = 3, count: UInt16 = 1) -> [UInt8] {
    func number(_ value: Int, _ size: Int) -> [UInt8] {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      return isLittle ? bytes : bytes.reversed()
    }
    let tiff =
      Array((isLittle ? "II" : "MM").utf8) + number(42, 2) + number(8, 4) + number(Int(count), 2)
      + number(0x0112, 2) + number(Int(type), 2) + number(1, 4) + number(Int(value), 2) + [0, 0] + number(0, 4)
    let segment = Array("Exif\0\0".utf8) + tiff
    return [0xFF, 0xE1, UInt8((segment.count + 2) >> 8), UInt8((segment.count + 2) & 255)] + segment
  }

  /// Width, height, and which block stands where.
  private func blocks(_ segments: [UInt8]) throws -> (Int, Int, [Int]) {
    let plain = picture.jpeg(quality: 100)
    let bytes = Array(plain[..<2]) + segments + Array(plain[2...])
    return try bytes.withUnsafeBytes { bytes in
      let decoder = ImageDecoder()
      defer { withExtendedLifetime(decoder) {} }
      let image = try decoder.decode(bytes, name: "x.jpg")
      var blocks: [Int] = []
      for y in stride(from: 4, to: image.height, by: 8) {
        for x in stride(from: 4, to: image.width, by: 8) {
          blocks.append((Int(image.pixels[3 * (image.width * y + x)]) - 10) / 40)
        }
      }
      return (image.width, image.height, blocks)
    }
  }

  /// As the EXIF standard draws them.
  @Test(arguments: [
    (1, [0, 1, 2, 3, 4, 5]), (2, [2, 1, 0, 5, 4, 3]), (3, [5, 4, 3, 2, 1, 0]), (4, [3, 4, 5, 0, 1, 2]),
    (5, [0, 3, 1, 4, 2, 5]), (6, [3, 0, 4, 1, 5, 2]), (7, [5, 2, 4, 1, 3, 0]), (8, [2, 5, 1, 4, 0, 3]),
  ])
  func applied(value: Int, expected: [Int]) throws {
    for isLittle in [true, false] {
      let (width, height, blocks) = try blocks(exif(UInt16(value), isLittle: isLittle))
      #expect((width, height) == (value < 5 ? (24, 16) : (16, 24)))
      #expect(blocks == expected)
    }
  }

  /// What cannot be read turns nothing, and breaks nothing.
  @Test func nonsense() throws {
    let upright = try blocks([]).2
    let segments: [[UInt8]] = [
      exif(0), exif(9), exif(6, type: 4), exif(6, count: 0), Array(exif(6).prefix(10)) + [0xFF, 0xD8],
      [0xFF, 0xE1, 0, 8] + Array("Exif\0\0".utf8),
      [0xFF, 0xE1, 0, 16] + Array("Exif\0\0II".utf8) + [42, 0, 255, 255, 255, 255],
      [0xFF, 0xE1, 0, 16] + Array("Exif\0\0XX".utf8) + [42, 0, 8, 0, 0, 0],
    ]
    for (number, segment) in segments.enumerated() where number != 4 {
      #expect(try blocks(segment).2 == upright, "\(number)")
    }
    // Fewer entries than it says.
    #expect(try blocks(exif(6, count: 65535)).2 == [3, 0, 4, 1, 5, 2])
  }
}
