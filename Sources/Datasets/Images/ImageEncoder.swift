import CSPNG
import CTurboJPEG
import Files
import Foundation

/// 8-bit RGB pixels to image files in memory, the same bytes for the same pixels. One per worker: it keeps its memory.
package final class ImageEncoder {
  package enum Format: Equatable, Sendable {
    /// Colour at full resolution (4:4:4): halving it, as photographs do, shows on faces of a hundred pixels.
    case jpeg(quality: Int)
    case png

    package var fileExtension: String { self == .png ? "png" : "jpg" }
  }

  package let format: Format
  package let width: Int
  package let height: Int
  private let encoded = ByteBuffer()

  package init(_ format: Format, width: Int, height: Int) {
    if case .jpeg(let quality) = format { precondition((1...100).contains(quality), "JPEG of quality \(quality)") }
    (self.format, self.width, self.height) = (format, width, height)
  }

  /// The file's bytes for pixels (height, width, 3), valid until the next call.
  package func encode(_ pixels: UnsafePointer<UInt8>) -> UnsafeRawBufferPointer {
    switch format {
    case .jpeg(let quality): encodeJPEG(pixels, quality)
    case .png: encodePNG(pixels)
    }
  }

  /// The corresponding C function is `tjCompress2`.
  private func encodeJPEG(_ pixels: UnsafePointer<UInt8>, _ quality: Int) -> UnsafeRawBufferPointer {
    guard let jpeg = tjInitCompress() else { fatalError("Out of memory for a JPEG encoder") }
    defer { tjDestroy(jpeg) }
    let sampling = CInt(TJSAMP_444.rawValue)
    let room = encoded.reserve(Int(tjBufSize(CInt(width), CInt(height), sampling)))
    var start: UnsafeMutablePointer<UInt8>? = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
    var size = UInt(room.count)
    let code = tjCompress2(
      jpeg, pixels, CInt(width), 0, CInt(height), CInt(TJPF_RGB.rawValue), &start, &size, sampling, CInt(quality),
      CInt(TJFLAG_NOREALLOC))
    // The buffer holds the largest file that these pixels could make.
    precondition(code == 0, String(cString: tjGetErrorStr2(jpeg)))
    return UnsafeRawBufferPointer(rebasing: room[..<Int(size)])
  }

  /// The corresponding C functions are `spng_encode_image` and `spng_get_png_buffer`.
  private func encodePNG(_ pixels: UnsafePointer<UInt8>) -> UnsafeRawBufferPointer {
    guard let context = spng_ctx_new(CInt(SPNG_CTX_ENCODER.rawValue)) else {
      fatalError("Out of memory for a PNG encoder")
    }
    defer { spng_ctx_free(context) }
    var header = spng_ihdr()
    (header.width, header.height, header.bit_depth) = (UInt32(width), UInt32(height), 8)
    header.color_type = UInt8(SPNG_COLOR_TYPE_TRUECOLOR.rawValue)
    check(spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1))
    check(spng_set_ihdr(context, &header))
    let flags = CInt(SPNG_ENCODE_FINALIZE.rawValue)
    check(spng_encode_image(context, pixels, 3 * width * height, CInt(SPNG_FMT_PNG.rawValue), flags))
    var (size, code) = (0, CInt(0))
    guard let file = spng_get_png_buffer(context, &size, &code) else {
      fatalError(String(cString: spng_strerror(code)))
    }
    defer { free(file) }
    let room = encoded.reserve(size)
    room.copyMemory(from: UnsafeRawBufferPointer(start: file, count: size))
    return UnsafeRawBufferPointer(room)
  }

  private func check(_ code: CInt) { precondition(code == 0, String(cString: spng_strerror(code))) }
}
