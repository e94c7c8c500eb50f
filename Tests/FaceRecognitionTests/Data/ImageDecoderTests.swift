import CSPNG
import CTurboJPEG
import Datasets
import Files
import Testing

@Suite struct ImageDecoderTests {
  private func decode(_ bytes: [UInt8], with decoder: ImageDecoder = ImageDecoder()) throws -> Picture {
    try bytes.withUnsafeBytes { bytes in
      let image = try decoder.decode(bytes, name: "someone/1.jpg")
      return Picture(width: image.width, height: image.height) { x, y, channel in
        image.pixels[3 * (image.width * y + x) + channel]
      }
    }
  }

  private func reason(_ bytes: [UInt8]) -> String {
    do {
      let image = try decode(bytes)
      return "decoded to \(image.width) x \(image.height)"
    } catch {
      let error = error as! DataError
      #expect(error.path == "someone/1.jpg")
      return error.reason
    }
  }

  private let gradient = Picture(width: 40, height: 24) { x, y, channel in UInt8(4 * x + y * (channel + 1)) }

  @Test(arguments: [TJSAMP_444.rawValue, TJSAMP_420.rawValue, TJSAMP_411.rawValue], [0, TJFLAG_PROGRESSIVE])
  func jpeg(subsampling: TJSAMP.RawValue, flags: Int32) throws {
    let image = try decode(gradient.jpeg(quality: 100, subsampling: TJSAMP(subsampling), flags: flags))
    #expect(image.width == 40 && image.height == 24)
    // JPEG rounds coefficients, and quarters the resolution of colour where it is subsampled.
    let allowed = subsampling == TJSAMP_444.rawValue ? 2 : 12
    #expect(zip(image.pixels, gradient.pixels).allSatisfy { abs(Int($0) - Int($1)) <= allowed })
  }

  @Test func greyJPEGBecomesRGB() throws {
    let image = try decode(Picture.constant(90, 90, 90).jpeg(subsampling: TJSAMP_GRAY))
    #expect(image.pixels.allSatisfy { $0 == 90 })
  }

  /// Inverted inks: 255 is none. Cyan ink takes away red, black all.
  @Test func inksBecomeRGB() throws {
    let inks: [[UInt8]] = [[255, 255, 255, 255], [0, 255, 255, 255], [255, 255, 255, 0], [255, 128, 0, 128]]
    let expected: [[Int]] = [[255, 255, 255], [0, 255, 255], [0, 0, 0], [128, 64, 0]]
    for (ink, color) in zip(inks, expected) {
      let file = Picture.cmykJPEG((0..<64).flatMap { _ in ink }, width: 8, height: 8)
      let image = try decode(file)
      #expect((0..<3).allSatisfy { abs(Int(image.pixels[$0]) - color[$0]) <= 2 }, "\(ink) gave \(image.pixels[..<3])")
    }
  }

  @Test func pngKeepsEveryPixel() throws {
    #expect(try decode(gradient.png()).pixels == gradient.pixels)
  }

  @Test func pngKinds() throws {
    let palette = Picture.png(
      [0, 1, 1, 2], 2, 2, SPNG_COLOR_TYPE_INDEXED, depth: 8, palette: [(1, 2, 3), (4, 5, 6), (7, 8, 9)])
    #expect(try decode(palette).pixels == [1, 2, 3, 4, 5, 6, 4, 5, 6, 7, 8, 9])
    let grey = Picture.png([0, 100, 200, 255], 2, 2, SPNG_COLOR_TYPE_GRAYSCALE, depth: 8)
    #expect(try decode(grey).pixels == [0, 0, 0, 100, 100, 100, 200, 200, 200, 255, 255, 255])
    let bits = Picture.png([0b1000_0000, 0b0100_0000], 2, 2, SPNG_COLOR_TYPE_GRAYSCALE, depth: 1)
    #expect(try decode(bits).pixels == [255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 255, 255])
    let alpha = Picture.png([10, 20, 30, 0, 40, 50, 60, 255], 2, 1, SPNG_COLOR_TYPE_TRUECOLOR_ALPHA, depth: 8)
    #expect(try decode(alpha).pixels == [10, 20, 30, 40, 50, 60])
    let deep = Picture.png([0x34, 0x12, 0xFF, 0xFF], 2, 1, SPNG_COLOR_TYPE_GRAYSCALE, depth: 16)
    #expect(try decode(deep).pixels == [0x12, 0x12, 0x12, 255, 255, 255])
  }

  @Test func pnmKinds() throws {
    #expect(try decode(gradient.ppm()).pixels == gradient.pixels)
    let grey = [0, 0, 0, 100, 100, 100, 255, 255, 255].map { UInt8($0) }
    #expect(try decode(Array("P2 # grey\n3 1\n255\n0 100\n# more\n255".utf8)).pixels == grey)
    #expect(try decode(Array("P5 3 1 255\n".utf8) + [0, 100, 255]).pixels == grey)
    #expect(try decode(Array("P5\n3\n1\n65535\n".utf8) + [0, 0, 100, 100, 255, 255]).pixels == grey)
    #expect(try decode(Array("P3 1 1 15\n0 7 15\n".utf8)).pixels == [0, 119, 255])
  }

  @Test func brokenFilesAreRefused() {
    let jpeg = gradient.jpeg()
    let png = gradient.png()
    #expect(reason([]) == "the file is empty (0 bytes)")
    #expect(reason(Array("<html>not found</html>".utf8)) == "it is neither JPEG nor PNG, PGM or PPM")
    #expect(reason(Array(jpeg.dropLast(30))) == "broken JPEG: Premature end of JPEG file")
    #expect(reason(Array(jpeg.dropLast(2))) == "broken JPEG: Premature end of JPEG file")
    #expect(reason(Array(jpeg[..<20])) == "broken JPEG: Premature end of JPEG file")
    #expect(reason(Array(jpeg[..<2]) + [UInt8](repeating: 7, count: 500)).hasPrefix("broken JPEG"))
    for length in [2, 20, 60, png.count / 2, png.count - 8] {
      #expect(reason(Array(png[..<length])).hasPrefix("broken PNG"), "\(length) bytes")
    }
    var flipped = png
    flipped[png.count / 2] ^= 0x10
    #expect(reason(flipped).hasPrefix("broken PNG"))
    #expect(reason(Array("P4 8 1\n".utf8) + [1]) == "P4 files are not read, only P2 and P5 (PGM), P3 and P6 (PPM)")
    #expect(reason(Array("P5 2 2 255\n".utf8) + [1, 2, 3]) == "truncated PNM: 4 bytes after the header, 5 needed")
    #expect(reason(Array("P5 2".utf8)) == "truncated PNM: height is missing")
    #expect(reason(Array("P2 2 1 255 3 400".utf8)) == "broken PNM: a sample of 400 above the maximum 255")
    #expect(reason(Array("P2 2 1 255 3 x   ".utf8)) == "broken PNM: sample is not a number")
    #expect(reason(Array("P5 1 1 70000 ".utf8) + [0, 0]) == "broken PNM: maximum 70000 is outside 1...65535")
    #expect(reason(Array("P5 999999999 1 255 ".utf8)) == "broken PNM: width has more than 8 digits")
    #expect(reason(Array("P5 0 4 255 ".utf8)) == "its size is 0 x 4")
  }

  /// The size that a header claims is refused before memory is taken for it.
  @Test func bombsAreRefused() {
    var jpeg = gradient.jpeg()
    // SOF0: marker, length, precision, height, width.
    let frame = (0..<(jpeg.count - 9)).first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 }!
    for (offset, value) in [(5, 0xFF), (6, 0xDC), (7, 0xFF), (8, 0xDC)] { jpeg[frame + offset] = UInt8(value) }
    #expect(reason(jpeg).hasPrefix("65500 x 65500 pixels are more than the limit of 64 megapixels"))
    #expect(reason(Array("P5 30000 30000 255 ".utf8)).hasPrefix("30000 x 30000 pixels are more than the limit"))
    let tall = Picture.png([UInt8](repeating: 0, count: 40_000), 1, 40_000, SPNG_COLOR_TYPE_GRAYSCALE, depth: 8)
    #expect(reason(tall).hasPrefix("1 x 40000 pixels are more than the limit"))
  }

  @Test func decoderGoesOnAfterBrokenFiles() throws {
    let decoder = ImageDecoder()
    let jpeg = gradient.jpeg()
    let whole = try decode(jpeg, with: decoder).pixels
    for length in stride(from: 1, to: jpeg.count, by: 29) {
      #expect(throws: DataError.self) { try decode(Array(jpeg[..<length]), with: decoder) }
    }
    #expect(try decode(jpeg, with: decoder).pixels == whole)
  }

  /// libjpeg keeps the tables of the image before; a file that lacks its own must not borrow them.
  @Test func imagesDoNotDependOnThoseBefore() throws {
    let jpeg = gradient.jpeg()
    // FF DB, length: the quantization tables.
    var stripped = jpeg
    while let start = (2..<(stripped.count - 3)).first(where: { stripped[$0] == 0xFF && stripped[$0 + 1] == 0xDB }) {
      stripped.removeSubrange(start..<(start + 2 + 256 * Int(stripped[start + 2]) + Int(stripped[start + 3])))
    }
    #expect(stripped.count < jpeg.count)
    let decoder = ImageDecoder()
    _ = try decode(jpeg, with: decoder)
    #expect(throws: DataError.self) { try decode(stripped, with: decoder) }
  }

  @Test func paddingBeforeTheEndMarkIsNoDamage() throws {
    let jpeg = gradient.jpeg()
    let padded = jpeg.dropLast(2) + [0, 0] + jpeg.suffix(2)
    #expect(try decode(Array(padded)).pixels == decode(jpeg).pixels)
  }
}
