import CSPNG
import CZlib
import Datasets
import Files
import Testing

/// What stands beside the picture in a file, and must not decide over it.
@Suite struct PNGMetadataTests {
  private let picture = Picture(width: 20, height: 12) { x, y, channel in UInt8(10 * x + 3 * y + channel) }

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

  @Test func numberAndSizeDecideNothing() throws {
    let short = Array("Comment\0something".utf8)
    let long = Array("Comment\0".utf8) + [UInt8](repeating: 65, count: 5 << 20)
    let bomb = zlibPacked([UInt8](repeating: 0, count: 20 << 20))
    let many = [(String, [UInt8])](repeating: ("tEXt", short), count: 3000)
    for chunks: [(String, [UInt8])] in [
      many, [("zTXt", Array("a\0\0".utf8) + bomb)], [("zTXt", Array("XML:com.adobe.xmp\0\0".utf8) + bomb)],
      [("iTXt", Array("XML:com.adobe.xmp\0\u{1}\0\0\0".utf8) + bomb)], [("iCCP", Array("profile\0\0".utf8) + bomb)],
    ] {
      #expect(try pixels(picture.png(with: chunks)) == picture.pixels, "before: \(chunks[0].0)")
      #expect(try pixels(picture.png(after: chunks)) == picture.pixels, "after: \(chunks[0].0)")
    }
    for type in ["tEXt", "iCCP", "eXIf", "abCd"] {
      #expect(try pixels(picture.png(with: (type, long))) == picture.pixels, "\(type)")
    }
  }

  /// Twice, of a wrong size, out of place, with a wrong checksum, of unknown kind.
  @Test func faultsInItDecideNothing() throws {
    let gamma: (String, [UInt8]) = ("gAMA", [0, 0, 0xB1, 0x8F])
    for chunks: [(String, [UInt8])] in [
      [gamma, gamma], [("gAMA", [0, 0, 0, 0])], [("tIME", [1])], [("sBIT", [99])], [("cHRM", [0])], [("tRNS", [1])],
      [("tEXt", [])], [("iCCP", [0])], [("bKGD", [])], [("eXIf", [])], [("acTL", [0])], [("abcd", [])],
      [("zTXt", [65, 0, 9])], [("iTXt", [65])],
    ] {
      #expect(try pixels(picture.png(with: chunks)) == picture.pixels, "before: \(chunks[0].0)")
      #expect(try pixels(picture.png(after: chunks)) == picture.pixels, "after: \(chunks[0].0)")
    }
    var damaged = picture.png(with: ("tEXt", Array("Comment\0something".utf8)))
    damaged[33 + 8 + 10] ^= 1
    #expect(try pixels(damaged) == picture.pixels)
  }

  /// However the picture is cut into chunks.
  @Test func numberAndSizeOfThePicturesChunksDecideNothing() throws {
    let noise = Picture(width: 1300, height: 1300) { x, y, c in UInt8(truncatingIfNeeded: (x * 7919 ^ y * 104729) >> c)
    }
    for (picture, size) in [(picture, 1), (noise, 8 << 20)] {
      let png = picture.png()
      var (data, position) = ([UInt8](), 33)
      while png[(position + 4)..<(position + 8)].elementsEqual("IDAT".utf8) {
        let length = png[position..<(position + 4)].reduce(0) { $0 << 8 | Int($1) }
        data += png[(position + 8)..<(position + 8 + length)]
        position += 12 + length
      }
      let parts = stride(from: 0, to: data.count, by: size).map { Array(data[$0..<min($0 + size, data.count)]) }
      let chunks = Array(parts.map { pngChunk("IDAT", $0) }.joined())
      #expect(try pixels(png[..<33] + chunks + png[position...]) == picture.pixels)
    }
  }

  /// The picture's own chunks must be whole, and the file must have its end.
  @Test func damageIsStillRefused() {
    let text: (String, [UInt8]) = ("tEXt", Array("Comment\0something".utf8))
    let png = picture.png(with: text)
    for place in stride(from: 8, to: 33, by: 1) {
      var damaged = png
      damaged[place] ^= 1
      #expect(!reason(damaged).hasPrefix("decoded"), "byte \(place)")
    }
    let textEnd = 33 + 12 + text.1.count
    for place in textEnd..<png.count {
      var damaged = png
      damaged[place] ^= 1
      #expect(reason(damaged).hasPrefix("broken PNG"), "byte \(place) of \(png.count)")
    }
    // But for the checksum of the end mark.
    for length in 2..<(png.count - 4) {
      #expect(reason(Array(png[..<length])).hasPrefix("broken PNG"), "\(length) bytes")
    }
    let late = picture.png(after: text)
    for length in (late.count - 45)..<(late.count - 4) {
      #expect(reason(Array(late[..<length])).hasPrefix("broken PNG"))
    }
    #expect(reason(picture.png(with: ("ABCD", [1]))) == "broken PNG: unknown critical chunk")
  }

  /// JPEG's and PNM's comments.
  @Test func otherFormats() throws {
    let jpeg = picture.jpeg()
    let comment: [UInt8] = [0xFF, 0xFE, 0xFF, 0xFF] + [UInt8](repeating: 65, count: 65533)
    let segment: [UInt8] = [0xFF, 0xEB, 0, 4, 1, 2]
    for extra in [[[UInt8]](repeating: comment, count: 50), [[UInt8]](repeating: segment, count: 3000)] {
      #expect(try pixels(jpeg[..<2] + Array(extra.joined()) + jpeg[2...]) == pixels(jpeg))
    }
    let text = "#" + String(repeating: "a", count: 1 << 20) + "\n"
    #expect(try pixels(Array("P5\n\(text)2 1\n\(text)255\n".utf8) + [7, 8]) == [7, 7, 7, 8, 8, 8])
  }
}

extension Picture {
  /// A PNG with these chunks before its pixels.
  func png(with chunks: (type: String, content: [UInt8])...) -> [UInt8] { png(with: chunks) }

  func png(with chunks: [(type: String, content: [UInt8])]) -> [UInt8] {
    let (plain, extra) = (png(), Array(chunks.map { pngChunk($0.type, $0.content) }.joined()))
    return Array(plain[..<33]) + extra + Array(plain[33...])
  }

  /// A PNG with these chunks after its pixels.
  func png(after chunks: (type: String, content: [UInt8])...) -> [UInt8] { png(after: chunks) }

  func png(after chunks: [(type: String, content: [UInt8])]) -> [UInt8] {
    let (plain, extra) = (png(), Array(chunks.map { pngChunk($0.type, $0.content) }.joined()))
    return plain.dropLast(12) + extra + plain.suffix(12)
  }
}

/// Length, type, content and checksum.
func pngChunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
  func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
  let body = Array(type.utf8) + content
  return number(content.count) + body + number(Int(crc32(0, body, UInt32(body.count))))
}

func zlibPacked(_ bytes: [UInt8]) -> [UInt8] {
  var count = compressBound(uLong(bytes.count))
  var packed = [UInt8](repeating: 0, count: Int(count))
  precondition(compress(&packed, &count, bytes, uLong(bytes.count)) == Z_OK)
  return Array(packed[..<Int(count)])
}
