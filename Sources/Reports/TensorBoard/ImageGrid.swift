import Datasets
import Foundation

/// The first images of a batch side by side, as bytes.
struct ImageGrid {
  let width: Int
  let height: Int
  /// (height, width, 3) RGB; places without an image are black.
  let pixels: [UInt8]

  /// The first images of a batch, at most `limit`; nil for an empty batch.
  init?(_ batch: Batch, limit: Int) {
    guard batch.count > 0 else { return nil }
    self.init(UnsafeBufferPointer(batch.images), count: min(batch.count, limit), side: batch.side)
  }

  /// images (count, 3, side, side), values in [-1, 1]
  init(_ images: UnsafeBufferPointer<Float>, count: Int, side: Int) {
    precondition(count > 0 && images.count >= 3 * count * side * side, "\(images.count) values for \(count) images")
    let planes = images.baseAddress!
    let columns = Int(Double(count).squareRoot().rounded(.up))
    let rows = (count + columns - 1) / columns
    (width, height) = (columns * side, rows * side)
    var pixels = [UInt8](repeating: 0, count: 3 * width * height)
    for image in 0..<count {
      let start = (image / columns * side * width + image % columns * side) * 3
      Self.copy(planes + 3 * image * side * side, side: side, into: &pixels, at: start, rowBytes: 3 * width)
    }
    self.pixels = pixels
  }

  /// As a file.
  var png: Data {
    let encoder = ImageEncoder(.png, width: width, height: height)
    // The bytes are the encoder's.
    return withExtendedLifetime(encoder) { Data(encoder.encode(pixels)) }
  }

  /// Planes (3, side, side) of values in [-1, 1] to RGB bytes.
  private static func copy(
    _ planes: UnsafePointer<Float>, side: Int, into pixels: inout [UInt8], at start: Int, rowBytes: Int
  ) {
    for channel in 0..<3 {
      let plane = planes + channel * side * side
      for y in 0..<side {
        for x in 0..<side {
          let level = (plane[y * side + x] * 127.5 + 127.5).rounded()
          pixels[start + y * rowBytes + 3 * x + channel] = UInt8(min(max(level, 0), 255))
        }
      }
    }
  }
}
