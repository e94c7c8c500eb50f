import Datasets
import Testing

/// The expected values are Pillow's (13.0, `ImageOps.exif_transpose`).
@Suite struct ImageOrientationTests {
  /// Blocks of 8 x 8, each of one grey: 3 x 2 of them.
  private static let picture = Picture(width: 24, height: 16) { x, y, _ in
    let block: Int = x / 8 + 3 * (y / 8)
    return UInt8(40 * block + 20)
  }

  /// Where the blocks stand in each orientation, as the EXIF standard draws them.
  private static let blocks = [
    [0, 1, 2, 3, 4, 5], [2, 1, 0, 5, 4, 3], [5, 4, 3, 2, 1, 0], [3, 4, 5, 0, 1, 2],
    [0, 3, 1, 4, 2, 5], [3, 0, 4, 1, 5, 2], [5, 2, 4, 1, 3, 0], [2, 5, 1, 4, 0, 3],
  ]

  /// The orientation from which a file's picture was turned upright.
  private func orientation(of bytes: [UInt8]) throws -> Int {
    try bytes.withUnsafeBytes { bytes in
      let decoder = ImageDecoder()
      defer { withExtendedLifetime(decoder) {} }
      let image = try decoder.decode(bytes, name: "x")
      var blocks: [Int] = []
      for y in stride(from: 4, to: image.height, by: 8) {
        for x in stride(from: 4, to: image.width, by: 8) {
          blocks.append((Int(image.pixels[3 * (image.width * y + x)]) - 10) / 40)
        }
      }
      let number = try #require(Self.blocks.firstIndex(of: blocks))
      #expect((image.width, image.height) == (number < 4 ? (24, 16) : (16, 24)))
      return number + 1
    }
  }

  private static func jpeg(_ segments: [UInt8]...) -> [UInt8] {
    let plain = picture.jpeg(quality: 100)
    return plain[..<2] + segments.flatMap { $0 } + plain[2...]
  }

  /// An APP1 segment.
  private static func segment(_ content: [UInt8]) -> [UInt8] {
    [0xFF, 0xE1, UInt8((content.count + 2) >> 8), UInt8((content.count + 2) & 255)] + content
  }

  private static func exif(_ tiff: [UInt8]) -> [UInt8] { segment(Array("Exif\0\0".utf8) + tiff) }

  private static func xmp(_ text: String) -> [UInt8] { segment(Array("http://ns.adobe.com/xap/1.0/\0\(text)".utf8)) }

  @Test(arguments: 1...8) func everyOrientation(value: Int) throws {
    for isLittle in [true, false] {
      let tiff = TIFF(isLittle, [.short(0x0112, value)]).bytes
      #expect(try orientation(of: Self.jpeg(Self.exif(tiff))) == value)
      #expect(try orientation(of: Self.picture.png(with: ("eXIf", tiff))) == value)
    }
  }

  /// Any type of number, in the directory or outside it; of several values the first. A byte is none, nor is text.
  @Test func everyType() throws {
    for isLittle in [true, false] {
      func turned(_ type: Int, _ values: [[UInt8]]) throws -> Int {
        let tiff = TIFF(isLittle, [.init(tag: 0x0112, type: type, count: values.count, value: values.flatMap { $0 })])
        let jpeg = try orientation(of: Self.jpeg(Self.exif(tiff.bytes)))
        #expect(try orientation(of: Self.picture.png(with: ("eXIf", tiff.bytes))) == jpeg)
        return jpeg
      }
      func number(_ value: Int, _ size: Int) -> [UInt8] { TIFF.number(value, size, isLittle) }
      for (type, size) in [(3, 2), (4, 4), (6, 1), (8, 2), (9, 4), (13, 4), (16, 8)] {
        for count in 1...3 {
          let values = [6, 3, 3].prefix(count).map { number($0, size) }
          #expect(try turned(type, values) == 6, "type \(type), \(count) values")
        }
      }
      #expect(try turned(5, [number(12, 4) + number(2, 4)]) == 6)
      #expect(try turned(10, [number(12, 4) + number(2, 4)]) == 6)
      #expect(try turned(11, [number(Int(Float(6).bitPattern), 4)]) == 6)
      #expect(try turned(12, [number(Int(6.0.bitPattern), 8)]) == 6)
      for type in [1, 2, 7] { #expect(try turned(type, [[type == 2 ? UInt8(ascii: "6") : 6]]) == 1) }
      #expect(try turned(5, [number(13, 4) + number(2, 4)]) == 1)
      #expect(try turned(5, [number(12, 4) + number(0, 4)]) == 1)
      #expect(try turned(4, [number(65536 + 6, 4)]) == 1)
      #expect(try turned(12, [number(Int(Double.greatestFiniteMagnitude.bitPattern), 8)]) == 1)
    }
  }

  /// Wherever the tag stands, and what stands around it.
  @Test func everyPlace() throws {
    let camera = TIFF.Entry(tag: 0x010F, type: 2, count: 30, value: [UInt8](repeating: 65, count: 30))
    for isLittle in [true, false] {
      let eight = TIFF(isLittle, [.short(0x0112, 8)]).bytes
      let places: [(String, TIFF, Int)] = [
        ("others before", TIFF(isLittle, [camera, .short(0x0112, 8)]), 8),
        ("unsorted", TIFF(isLittle, [.short(0x9000, 1), .short(0x0112, 8), camera]), 8),
        ("directory further on", TIFF(isLittle, [.short(0x0112, 8)], start: 40), 8),
        ("more entries promised", TIFF(isLittle, [.short(0x0112, 8)], claim: 65535), 8),
        ("twice", TIFF(isLittle, [.short(0x0112, 8), .short(0x0112, 3)]), 8),
        (
          "of no type first", TIFF(isLittle, [.init(tag: 0x0112, type: 99, count: 1, value: [6]), .short(0x0112, 8)]), 8
        ),
        ("without a value", TIFF(isLittle, [.init(tag: 0x0112, type: 3, count: 0, value: [6])]), 1),
      ]
      for (name, tiff, expected) in places {
        #expect(try orientation(of: Self.jpeg(Self.exif(tiff.bytes))) == expected, "\(name)")
        #expect(try orientation(of: Self.picture.png(with: ("eXIf", tiff.bytes))) == expected, "\(name)")
      }
      let exif = Self.exif(eight)
      let jfif: [UInt8] = [0xFF, 0xE0, 0, 16] + Array("JFIF\0".utf8) + [1, 1, 0, 0, 1, 0, 1, 0, 0]
      #expect(try orientation(of: Self.jpeg(jfif, Self.segment([1, 2, 3]), exif)) == 8)
      #expect(try orientation(of: Self.jpeg([0xFF, 0xFF], exif)) == 8)
      #expect(try orientation(of: Self.jpeg(Self.exif([]), exif)) == 8)
      #expect(try orientation(of: Self.jpeg(Self.exif(Array("Exif\0\0".utf8) + eight))) == 8)
      // Cut in two; the second of two.
      #expect(try orientation(of: Self.jpeg(Self.exif(Array(eight[..<12])), Self.exif(Array(eight[12...])))) == 8)
      #expect(try orientation(of: Self.jpeg(exif, Self.exif(TIFF(isLittle, [.short(0x0112, 3)]).bytes))) == 8)
      #expect(try orientation(of: Self.picture.jpeg(quality: 100) + exif) == 1)
      #expect(try orientation(of: Self.picture.png(after: ("eXIf", eight))) == 8)
    }
  }

  /// XMP tells where EXIF does not have the tag.
  @Test func xmp() throws {
    let (attribute, element) = ("<a tiff:Orientation=\"6\"/>", "<a><tiff:Orientation>6</tiff:Orientation></a>")
    for text in [attribute, element, "<a tiff:Orientation='3' tiff:Orientation=\"6\"/>"] {
      #expect(try orientation(of: Self.jpeg(Self.xmp(text))) == 6)
      let keyword = Array("XML:com.adobe.xmp\0".utf8)
      let (plain, packed) = (Array(text.utf8), zlibPacked(Array(text.utf8)))
      let chunks: [(type: String, content: [UInt8])] = [
        ("tEXt", plain), ("zTXt", [0] + packed), ("iTXt", [0, 0, 0, 0] + plain),
        ("iTXt", [1, 0] + Array("en\0name\0".utf8) + packed),
      ]
      for chunk in chunks {
        let file = Self.picture.png(with: (chunk.type, keyword + chunk.content))
        #expect(try orientation(of: file) == 6, "\(chunk.type)")
      }
    }
    let other = Self.exif(TIFF(true, [.short(0x010F, 1)]).bytes)
    let three = Self.exif(TIFF(true, [.short(0x0112, 3)]).bytes)
    let byte = Self.exif(TIFF(true, [.init(tag: 0x0112, type: 1, count: 1, value: [3])]).bytes)
    #expect(try orientation(of: Self.jpeg(other, Self.xmp(attribute))) == 6)
    #expect(try orientation(of: Self.jpeg(Self.xmp(attribute), three)) == 3)
    #expect(try orientation(of: Self.jpeg(byte, Self.xmp(attribute))) == 1)
    #expect(try orientation(of: Self.jpeg(Self.xmp(attribute), Self.xmp("<a tiff:Orientation=\"3\"/>"))) == 3)
  }

  /// ImageMagick's way to keep EXIF in a PNG.
  @Test func profileOfHexadecimalDigits() throws {
    let tiff = TIFF(false, [.short(0x0112, 5)]).bytes
    for content in [tiff, Array("Exif\0\0".utf8) + tiff] {
      let digits = content.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      let lines = [digits[..<20].joined(), digits[20...].joined()].joined(separator: "\n")
      let text = Array("\nexif\n      \(content.count)\n\(lines)\n".utf8)
      let keyword = Array("Raw profile type exif\0".utf8)
      #expect(try orientation(of: Self.picture.png(with: ("tEXt", keyword + text))) == 5)
      #expect(try orientation(of: Self.picture.png(with: ("zTXt", keyword + [0] + zlibPacked(text)))) == 5)
    }
  }

  /// What cannot be read turns nothing, and breaks nothing.
  @Test func nonsense() throws {
    let six = TIFF(true, [.short(0x0112, 6)]).bytes
    let unknown: [[UInt8]] = [0, 9, 255].map { TIFF(true, [.short(0x0112, $0)]).bytes }
    let broken: [[UInt8]] = [
      [], Array("II".utf8) + [42, 0, 255, 255, 255, 255], Array("XX".utf8) + six.dropFirst(2), Array(six.prefix(13)),
    ]
    for tiff in unknown + broken {
      #expect(try orientation(of: Self.jpeg(Self.exif(tiff))) == 1)
      #expect(try orientation(of: Self.picture.png(with: ("eXIf", tiff))) == 1)
    }
    // A damaged chunk is not believed.
    var damaged = Self.picture.png(with: ("eXIf", six))
    damaged[33 + 8 + 18] ^= 5
    #expect(try orientation(of: damaged) == 1)
    let keyword = Array("XML:com.adobe.xmp\0".utf8)
    for chunk in [
      ("zTXt", keyword), ("zTXt", keyword + [0, 1, 2]), ("iTXt", keyword), ("iTXt", keyword + [1, 0, 0, 0]),
    ] {
      #expect(try orientation(of: Self.picture.png(with: chunk)) == 1)
    }
  }
}

/// EXIF's directory.
private struct TIFF {
  struct Entry {
    let tag: Int
    let type: Int
    let count: Int
    /// In the order of the structure's bytes.
    let value: [UInt8]
    /// Of type 3, which is made when the order is known.
    var number: Int?

    static func short(_ tag: Int, _ number: Int) -> Entry {
      Entry(tag: tag, type: 3, count: 1, value: [], number: number)
    }
  }

  let bytes: [UInt8]

  init(_ isLittle: Bool, _ entries: [Entry], start: Int = 8, claim: Int? = nil) {
    func number(_ value: Int, _ size: Int) -> [UInt8] { Self.number(value, size, isLittle) }
    var (directory, values): ([UInt8], [UInt8]) = ([], [])
    let end = start + 2 + 12 * entries.count + 4
    for entry in entries {
      let value = entry.number.map { number($0, 2) } ?? entry.value
      directory += number(entry.tag, 2) + number(entry.type, 2) + number(entry.count, 4)
      directory += value.count <= 4 ? value + [0, 0, 0, 0].dropFirst(value.count) : number(end + values.count, 4)
      if value.count > 4 { values += value }
    }
    bytes =
      Array((isLittle ? "II" : "MM").utf8) + number(42, 2) + number(start, 4) + [UInt8](repeating: 0, count: start - 8)
      + number(claim ?? entries.count, 2) + directory + number(0, 4) + values
  }

  static func number(_ value: Int, _ size: Int, _ isLittle: Bool) -> [UInt8] {
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    return isLittle ? bytes : bytes.reversed()
  }
}
