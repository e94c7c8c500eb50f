import Datasets
import Testing

@Suite struct ImageEncoderTests {
  private let picture = Picture(width: 24, height: 18) { x, y, channel in UInt8((9 * x + 4 * y * (channel + 1)) % 256) }

  private func roundTrip(_ format: ImageEncoder.Format) throws -> (file: [UInt8], pixels: [UInt8]) {
    let encoder = ImageEncoder(format, width: 24, height: 18)
    let file = picture.pixels.withUnsafeBufferPointer { [UInt8](encoder.encode($0.baseAddress!)) }
    let again = picture.pixels.withUnsafeBufferPointer { [UInt8](encoder.encode($0.baseAddress!)) }
    #expect(file == again)
    return try file.withUnsafeBytes { bytes in
      let decoder = ImageDecoder()
      defer { withExtendedLifetime(decoder) {} }
      let image = try decoder.decode(bytes, name: "x")
      #expect(image.width == 24 && image.height == 18)
      return (file, [UInt8](UnsafeBufferPointer(start: image.pixels, count: picture.pixels.count)))
    }
  }

  @Test func pngKeepsEveryPixel() throws {
    #expect(try roundTrip(.png).pixels == picture.pixels)
  }

  @Test func jpegQualities() throws {
    let (best, good, poor) = (
      try roundTrip(.jpeg(quality: 100)), try roundTrip(.jpeg(quality: 90)), try roundTrip(.jpeg(quality: 10))
    )
    #expect(poor.file.count < good.file.count && good.file.count < best.file.count)
    #expect(zip(best.pixels, picture.pixels).allSatisfy { abs(Int($0) - Int($1)) <= 6 })
    #expect(best.file == picture.jpeg(quality: 100))
  }
}
