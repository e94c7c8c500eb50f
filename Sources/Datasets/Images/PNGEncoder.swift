import CSPNG
package import Foundation

/// RGB bytes to a PNG file in memory.
package enum PNGEncoder {
  /// `pixels` (height, width, 3), packed lightly: speed before size.
  ///
  /// The corresponding C functions are `spng_encode_image` and `spng_get_png_buffer`.
  package static func encode(_ pixels: [UInt8], width: Int, height: Int) throws -> Data {
    precondition(
      width > 0 && height > 0 && pixels.count == 3 * width * height, "\(pixels.count) bytes for \(width) x \(height)")
    guard let context = spng_ctx_new(CInt(SPNG_CTX_ENCODER.rawValue)) else {
      fatalError("Out of memory for a PNG encoder")
    }
    defer { spng_ctx_free(context) }
    var header = spng_ihdr()
    header.width = UInt32(width)
    header.height = UInt32(height)
    header.bit_depth = 8
    header.color_type = UInt8(SPNG_COLOR_TYPE_TRUECOLOR.rawValue)
    try check(spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1))
    try check(spng_set_option(context, SPNG_IMG_COMPRESSION_LEVEL, 3))
    try check(spng_set_ihdr(context, &header))
    try check(
      spng_encode_image(
        context, pixels, pixels.count, CInt(SPNG_FMT_PNG.rawValue), CInt(SPNG_ENCODE_FINALIZE.rawValue)))
    var (size, code): (Int, CInt) = (0, 0)
    guard let buffer = spng_get_png_buffer(context, &size, &code) else { throw Failure(code: code) }
    return Data(bytesNoCopy: buffer, count: size, deallocator: .free)
  }

  /// Why libspng refused.
  package struct Failure: Error, CustomStringConvertible {
    let code: CInt
    package var description: String { "Cannot make a PNG: \(String(cString: spng_strerror(code)))." }
  }

  private static func check(_ code: CInt) throws(Failure) {
    if code != 0 { throw Failure(code: code) }
  }
}
