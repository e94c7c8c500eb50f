/// One image's way from (side, side, 3) bytes to (3, side, side) Floats: mirror, shift, brightness and contrast.
///
/// A pixel x becomes contrast * (x - 127.5) / 127.5 + brightness, held within [-1, 1]; what a shift uncovers repeats the edge.
package struct PixelTransform: Equatable, Sendable {
  package var isMirrored = false
  /// Pixels by which the picture moves right and down, after mirroring.
  package var right = 0
  package var down = 0
  package var contrast: Float = 1
  package var brightness: Float = 0

  package init() {}

  /// The same for the picture at another side: the shift is rounded to its pixels, at most the whole picture less one.
  package func scaled(from side: Int, to other: Int) -> PixelTransform {
    func scaled(_ pixels: Int) -> Int {
      min(max(Int((Double(pixels) * Double(other) / Double(side)).rounded()), 1 - other), other - 1)
    }
    var result = self
    (result.right, result.down) = (scaled(right), scaled(down))
    return result
  }

  /// pixels (side, side, 3) RGB to planes (3, side, side) RGB
  package func render(_ pixels: UnsafePointer<UInt8>, side: Int, to planes: UnsafeMutablePointer<Float>) {
    // 256 values a picture instead of arithmetic on each of its pixels; at rest they are exactly (x - 127.5) / 127.5.
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 256) { values in
      for level in 0..<256 {
        values[level] = min(max(contrast * ((Float(level) - 127.5) / 127.5) + brightness, -1), 1)
      }
      withUnsafeTemporaryAllocation(of: Int.self, capacity: side) { offsets in
        for x in 0..<side {
          let from = min(max(x - right, 0), side - 1)
          offsets[x] = 3 * (isMirrored ? side - 1 - from : from)
        }
        for y in 0..<side {
          let row = pixels + 3 * side * min(max(y - down, 0), side - 1)
          let (red, green, blue) = (planes + side * y, planes + side * (side + y), planes + side * (2 * side + y))
          for x in 0..<side {
            let pixel = row + offsets[x]
            red[x] = values[Int(pixel[0])]
            green[x] = values[Int(pixel[1])]
            blue[x] = values[Int(pixel[2])]
          }
        }
      }
    }
  }

  /// Mirrors (count, 3, side, side) planes in place: the second look of a flip test, without decoding again.
  package static func mirror(_ planes: UnsafeMutablePointer<Float>, count: Int, side: Int) {
    for row in 0..<(count * 3 * side) {
      var values = UnsafeMutableBufferPointer(start: planes + side * row, count: side)
      values.reverse()
    }
  }
}
