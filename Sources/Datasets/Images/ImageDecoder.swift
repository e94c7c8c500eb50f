package import Files

/// Image files in memory to 8-bit RGB: JPEG, PNG, PGM and PPM, told apart by their first bytes, never by a name.
///
/// One per worker: it keeps its pixel memory from image to image. Grey becomes RGB, alpha is dropped,
/// 16 bits become 8, CMYK is converted. The orientation that EXIF or XMP tell is applied.
package final class ImageDecoder {
  /// More pixels than any photograph of a face; checked before memory is taken.
  package static let maximumPixels = 64 << 20
  /// Bounds the rows that `ImageResizer` holds.
  package static let maximumSide = 1 << 15

  private let pixels = ByteBuffer()
  /// CMYK before its conversion.
  let inks = ByteBuffer()
  /// A PNG without its metadata.
  let stripped = ByteBuffer()
  /// A picture turned upright.
  let turned = ByteBuffer()

  package init() {}

  /// The pixels, valid until the next call.
  ///
  /// - Throws: `DataError` naming `name` where the bytes are no image that we know, damaged, cut short or too large.
  package func decode(_ bytes: UnsafeRawBufferPointer, name: @autoclosure () -> String) throws(DataError)
    -> DecodedImage
  {
    do throws(Failure) {
      switch (bytes.count > 0 ? bytes[0] : 0, bytes.count > 1 ? bytes[1] : 0) {
      case (0xFF, 0xD8): return try decodeJPEG(bytes)
      case (0x89, UInt8(ascii: "P")): return try decodePNG(bytes)
      case (UInt8(ascii: "P"), UInt8(ascii: "1")...UInt8(ascii: "7")): return try decodePNM(bytes)
      default: throw Failure(bytes.isEmpty ? "the file is empty (0 bytes)" : "it is neither JPEG nor PNG, PGM or PPM")
      }
    } catch {
      throw DataError(name(), error.reason)
    }
  }

  /// Why an image was refused, before its name is known.
  struct Failure: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  /// Memory for an image of this size.
  func pixels(width: Int, height: Int) throws(Failure) -> UnsafeMutablePointer<UInt8> {
    try checkSize(width, height)
    return pixels.reserve(3 * width * height, of: UInt8.self)
  }

  func checkSize(_ width: Int, _ height: Int) throws(Failure) {
    guard width > 0, height > 0 else { throw Failure("its size is \(width) x \(height)") }
    guard width <= Self.maximumSide, height <= Self.maximumSide, width * height <= Self.maximumPixels else {
      throw Failure(
        "\(width) x \(height) pixels are more than the limit of \(Self.maximumPixels >> 20) megapixels"
          + " and \(Self.maximumSide) a side")
    }
  }
}

/// 8-bit RGB pixels (height, width, 3) in memory of whoever made them, valid until that one is used again.
package struct DecodedImage {
  package let pixels: UnsafePointer<UInt8>
  package let width: Int
  package let height: Int

  package init(pixels: UnsafePointer<UInt8>, width: Int, height: Int) {
    self.pixels = pixels
    self.width = width
    self.height = height
  }
}
