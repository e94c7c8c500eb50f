import CTurboJPEG
import Datasets
import Files
import Testing

/// libjpeg warns of much: only what loses pixels is damage.
@Suite struct JPEGWarningTests {
  private static let picture = Picture(width: 72, height: 56) { x, y, c in
    UInt8(truncatingIfNeeded: 3 * x + y * (c + 1) + x * y / 8)
  }
  private static let jpeg = picture.jpeg(quality: 90)

  private func pixels(_ bytes: [UInt8]) throws -> [UInt8] {
    try bytes.withUnsafeBytes { bytes in
      let decoder = ImageDecoder()
      defer { withExtendedLifetime(decoder) {} }
      let image = try decoder.decode(bytes, name: "x")
      return Array(UnsafeBufferPointer(start: image.pixels, count: 3 * image.width * image.height))
    }
  }

  private func reason(_ bytes: [UInt8]) -> String {
    do {
      return "decoded to \(try pixels(bytes).count) bytes"
    } catch {
      return (error as! DataError).reason
    }
  }

  /// Where the segment of a marker begins, the `number`th of its kind.
  private static func place(of marker: UInt8, in bytes: [UInt8], number: Int = 0) -> Int {
    (0..<(bytes.count - 1)).filter { bytes[$0] == 0xFF && bytes[$0 + 1] == marker }[number]
  }

  private static func replacing(_ bytes: [UInt8], at place: Int, by new: [UInt8]) -> [UInt8] {
    Array(bytes[..<place]) + new + Array(bytes[(place + new.count)...])
  }

  /// Marker, length, count, two bytes a component: there the spectral range follows.
  private static func range(of jpeg: [UInt8]) -> Int {
    let scan = place(of: 0xDA, in: jpeg)
    return scan + 5 + 2 * Int(jpeg[scan + 4])
  }

  /// Files that libjpeg warns of, and whose every pixel is right.
  private static var harmless: [(name: String, bytes: [UInt8])] {
    let range = range(of: jpeg)
    let (scan, frame) = (place(of: 0xDA, in: jpeg), place(of: 0xC0, in: jpeg))
    let adobe: [UInt8] = [0xFF, 0xEE, 0, 14] + Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, 7]
    return [
      ("scan to coefficient 0", replacing(jpeg, at: range, by: [0, 0, 0])),
      ("scan from coefficient 5", replacing(jpeg, at: range, by: [5, 63, 0])),
      ("scan of some bits", replacing(jpeg, at: range, by: [0, 63, 0x11])),
      ("JFIF 2", replacing(jpeg, at: place(of: 0xE0, in: jpeg) + 9, by: [2, 0])),
      ("Adobe's transform 7", jpeg[..<2] + adobe + jpeg[2...]),
      ("bytes between tables", jpeg[..<scan] + [1, 2, 3] + jpeg[scan...]),
      ("bytes before the frame", jpeg[..<frame] + [0, 0, 0] + jpeg[frame...]),
      ("padding before the end", jpeg.dropLast(2) + [0, 0, 7] + jpeg.suffix(2)),
      ("bytes after the end", jpeg + [1, 2, 3]),
    ]
  }

  @Test func harmlessWarningsAreNoDamage() throws {
    let expected = try pixels(Self.jpeg)
    for (name, bytes) in Self.harmless { #expect(try pixels(bytes) == expected, "\(name)") }
  }

  /// A harmless warning that comes first hides nothing.
  @Test func damageIsRefusedBehindHarmlessWarnings() {
    for (name, bytes) in Self.harmless + [("none", Self.jpeg)] where name != "bytes after the end" {
      let data = Self.range(of: bytes) + 3
      let middle = (data + bytes.count) / 2
      #expect(reason(Array(bytes[..<middle])) == "broken JPEG: Premature end of JPEG file", "\(name)")
      let ended = bytes[..<middle] + [0xFF, 0xD9]
      #expect(reason(Array(ended)) == "broken JPEG: Corrupt JPEG data: premature end of data segment", "\(name)")
      // No code is of ones alone.
      let codes = Self.replacing(bytes, at: middle, by: [0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0])
      #expect(reason(codes) == "broken JPEG: Corrupt JPEG data: bad Huffman code", "\(name)")
    }
  }

  /// A flipped bit anywhere ends no program. Most give another picture of sound codes; in the picture's data libjpeg can
  /// tell some 4 of 100.
  @Test func flippedBits() {
    let data = Self.range(of: Self.jpeg) + 3
    var refused = 0
    for place in 2..<Self.jpeg.count {
      let damaged = Self.replacing(Self.jpeg, at: place, by: [Self.jpeg[place] ^ 1 << UInt8(place % 8)])
      let result = reason(damaged)
      #expect(
        ["broken JPEG: ", "decoded to "].contains(where: result.hasPrefix) || result.contains(" pixels are more"))
      if place >= data && result.hasPrefix("broken JPEG: ") { refused += 1 }
    }
    #expect(refused > (Self.jpeg.count - data) / 50)
  }

  /// The scans of a progressive file, each with its tables before it; what stands before them; and the end mark.
  private static func scans() -> (head: [UInt8], scans: [[UInt8]], end: [UInt8]) {
    let file = picture.jpeg(quality: 90, flags: TJFLAG_PROGRESSIVE)
    let starts = (0..<(file.count - 1)).filter { file[$0] == 0xFF && file[$0 + 1] == 0xDA }
    // A scan's data end at the next marker, which is no stuffed zero.
    let ends = starts.map { start in
      (start + 2..<(file.count - 1)).first { file[$0] == 0xFF && file[$0 + 1] != 0 }!
    }
    let head = place(of: 0xC4, in: file)
    let scans = ends.indices.map { Array(file[($0 == 0 ? head : ends[$0 - 1])..<ends[$0]]) }
    return (Array(file[..<head]), scans, Array(file[ends.last!...]))
  }

  @Test func orderOfScans() throws {
    let (head, scans, end) = Self.scans()
    func file(_ scans: [[UInt8]]) -> [UInt8] { head + Array(scans.joined()) + end }
    let expected = try pixels(file(scans))
    #expect(scans.count == 10)
    // Each scan's tables stand before it. 0: mean values; 1-3: first bits of the others; 4: bits that follow.
    #expect(try pixels(file([scans[1], scans[0]] + scans[2...])) == expected)
    #expect(try pixels(file([scans[0]] + scans)) == expected)
    #expect(try pixels(file([scans[0], scans[1]] + scans[1...])) == expected)
    #expect(reason(file(Array(scans[1...]))).hasPrefix("broken JPEG: "))
    let withoutMeans = file(scans.filter { $0 != scans[0] && $0 != scans[6] })
    #expect(reason(withoutMeans) == "broken JPEG: a part of its picture is missing")
    // The last bits without those before.
    #expect(reason(file([scans[0]] + scans[2...])).hasPrefix("broken JPEG: Inconsistent progression sequence"))
  }

  /// Three components promised, a scan of one: the file ends as it should, without colour.
  @Test func aComponentThatNeverComes() {
    let grey = Self.picture.jpeg(subsampling: TJSAMP_GRAY)
    let frame = Self.place(of: 0xC0, in: grey)
    let promised: [UInt8] =
      [0xFF, 0xC0, 0, 17] + grey[(frame + 4)..<(frame + 9)] + [3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]
    let file = Array(grey[..<frame]) + promised + Array(grey[(frame + 13)...])
    #expect(reason(file) == "broken JPEG: a part of its picture is missing")
  }
}
