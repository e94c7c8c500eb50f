import CSPNG
import CTurboJPEG
import Datasets
import Files
import Foundation

/// A folder that lasts as long as this object, and small images of our own making to put into it.
final class TestFolder {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "cosface-data-\(UUID().uuidString)"
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ bytes: [UInt8], _ name: String) {
    let file = "\(path)/\(name)"
    makeFolder((name as NSString).deletingLastPathComponent)
    precondition(FileManager.default.createFile(atPath: file, contents: Data(bytes)), file)
  }

  func makeFolder(_ name: String) {
    try! FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
  }

  func link(_ name: String, to target: String) {
    try! FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
  }

  /// `people` folders with `images` JPEGs each, all different.
  static func faces(people: Int, images: Int, side: Int = 16) -> TestFolder {
    let folder = TestFolder()
    for person in 0..<people {
      for image in 0..<images {
        let picture = Picture(width: side, height: side) { x, y, channel in
          let level: Int = 37 * person + 11 * image + 5 * x + 3 * y + 60 * channel
          return UInt8(level % 256)
        }
        folder.write(picture.jpeg(), "person-\(person)/\(image).jpg")
      }
    }
    return folder
  }
}

/// Pixels (height, width, 3) and the file formats that hold them.
struct Picture {
  let width: Int
  let height: Int
  var pixels: [UInt8]

  init(width: Int, height: Int, _ value: (_ x: Int, _ y: Int, _ channel: Int) -> UInt8) {
    self.width = width
    self.height = height
    pixels = []
    for y in 0..<height {
      for x in 0..<width { for channel in 0..<3 { pixels.append(value(x, y, channel)) } }
    }
  }

  static func constant(_ red: UInt8, _ green: UInt8, _ blue: UInt8, width: Int = 16, height: Int = 16) -> Picture {
    Picture(width: width, height: height) { _, _, channel in [red, green, blue][channel] }
  }

  func jpeg(quality: Int = 95, subsampling: TJSAMP = TJSAMP_444, flags: Int32 = 0) -> [UInt8] {
    Self.compress(pixels, width, height, TJPF_RGB, quality, subsampling, flags)
  }

  /// Inks (height, width, 4) as libjpeg stores them.
  static func cmykJPEG(_ inks: [UInt8], width: Int, height: Int) -> [UInt8] {
    compress(inks, width, height, TJPF_CMYK, 100, TJSAMP_444, 0)
  }

  private static func compress(
    _ pixels: [UInt8], _ width: Int, _ height: Int, _ format: TJPF, _ quality: Int, _ subsampling: TJSAMP,
    _ flags: Int32
  ) -> [UInt8] {
    let handle = tjInitCompress()!
    defer { tjDestroy(handle) }
    var data: UnsafeMutablePointer<UInt8>?
    var size: UInt = 0
    let code = tjCompress2(
      handle, pixels, Int32(width), 0, Int32(height), Int32(format.rawValue), &data, &size,
      Int32(subsampling.rawValue), Int32(quality), flags)
    precondition(code == 0, String(cString: tjGetErrorStr2(handle)))
    defer { tjFree(data) }
    return [UInt8](UnsafeBufferPointer(start: data, count: Int(size)))
  }

  func png() -> [UInt8] { Self.png(pixels, width, height, SPNG_COLOR_TYPE_TRUECOLOR, depth: 8) }

  /// `data` as PNG stores it: 16-bit samples in the machine's own order.
  static func png(
    _ data: [UInt8], _ width: Int, _ height: Int, _ type: spng_color_type, depth: UInt8,
    palette: [(UInt8, UInt8, UInt8)] = []
  ) -> [UInt8] {
    let context = spng_ctx_new(Int32(SPNG_CTX_ENCODER.rawValue))!
    defer { spng_ctx_free(context) }
    spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1)
    var header = spng_ihdr()
    header.width = UInt32(width)
    header.height = UInt32(height)
    header.bit_depth = depth
    header.color_type = UInt8(type.rawValue)
    spng_set_ihdr(context, &header)
    if !palette.isEmpty {
      var colors = spng_plte()
      colors.n_entries = UInt32(palette.count)
      withUnsafeMutableBytes(of: &colors.entries) { entries in
        for (index, color) in palette.enumerated() {
          (entries[4 * index], entries[4 * index + 1], entries[4 * index + 2]) = color
        }
      }
      spng_set_plte(context, &colors)
    }
    let finalize = Int32(SPNG_ENCODE_FINALIZE.rawValue)
    let code = spng_encode_image(context, data, data.count, Int32(SPNG_FMT_PNG.rawValue), finalize)
    precondition(code == 0, String(cString: spng_strerror(code)))
    var size = 0
    var error: Int32 = 0
    let buffer = spng_get_png_buffer(context, &size, &error)!
    defer { free(buffer) }
    return [UInt8](UnsafeRawBufferPointer(start: buffer, count: size))
  }

  func ppm() -> [UInt8] { Array("P6\n\(width) \(height)\n255\n".utf8) + pixels }
}

extension ImageSource {
  /// A copy of the image file's bytes.
  func encodedImage(of sample: Int) throws -> [UInt8] {
    try withEncodedImage(of: sample, scratch: ByteBuffer()) { [UInt8]($0) }
  }
}
