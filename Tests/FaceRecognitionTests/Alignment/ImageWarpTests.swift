import Datasets
import Testing

@Suite struct ImageWarpTests {
  private func warp(_ picture: Picture, _ transform: SimilarityTransform, width: Int, height: Int) -> Picture {
    var output = Picture.constant(7, 7, 7, width: width, height: height)
    picture.pixels.withUnsafeBufferPointer { pixels in
      let image = DecodedImage(pixels: pixels.baseAddress!, width: picture.width, height: picture.height)
      output.pixels.withUnsafeMutableBufferPointer {
        ImageWarp.bilinear(image, transform.inverse, width: width, height: height, into: $0.baseAddress!)
      }
    }
    return output
  }

  /// OpenCV 5.0: `cv2.warpAffine(img, M, (16, 12), flags=INTER_LINEAR, borderMode=BORDER_CONSTANT, borderValue=0)`, second
  /// channel; rows 0, 5, 9 and 11.
  @Test func equalsOpenCVs() {
    let picture = Picture(width: 30, height: 24) { x, y, channel in
      let levels: [Int] = [x * 8 + y * 3, x * x + 5 * y, 255 - 7 * x + y * y]
      return UInt8(levels[channel] & 255)
    }
    let result = warp(picture, SimilarityTransform(a: 0.9, b: 0.3, tx: 4.25, ty: -5.5), width: 16, height: 12)
    let expected: [(row: Int, levels: [Int])] = [
      (0, [0, 0, 18, 30, 31, 33, 38, 44, 53, 63, 76, 90, 107, 125, 146, 168]),
      (5, [15, 58, 58, 60, 64, 69, 77, 87, 99, 113, 129, 146, 166, 188, 212, 179]),
      (9, [80, 81, 83, 88, 94, 103, 113, 126, 140, 157, 175, 196, 218, 156, 93, 42]),
      (11, [91, 93, 97, 103, 111, 120, 132, 146, 162, 180, 200, 222, 181, 15, 43, 73]),
    ]
    for (row, levels) in expected {
      let found: [Int] = (0..<16).map { column in Int(result.pixels[3 * (16 * row + column) + 1]) }
      // A half may be rounded either way.
      #expect(zip(found, levels).allSatisfy { abs($0 - $1) <= 1 }, "row \(row): \(found)")
    }
  }

  @Test func wholePixelsAreKeptAndTheOutsideIsBlack() {
    let picture = Picture(width: 3, height: 2) { x, y, channel in UInt8(10 * x + 100 * y + channel + 1) }
    #expect(warp(picture, .init(a: 1, b: 0, tx: 0, ty: 0), width: 3, height: 2).pixels == picture.pixels)
    let moved = warp(picture, .init(a: 1, b: 0, tx: 1, ty: 1), width: 5, height: 4)
    for y in 0..<4 {
      for x in 0..<5 {
        let inside = (1...3).contains(x) && (1...2).contains(y)
        #expect(moved.pixels[3 * (5 * y + x)] == (inside ? UInt8(10 * (x - 1) + 100 * (y - 1) + 1) : 0))
      }
    }
    // Half a pixel out: half of the border's level.
    let half = warp(
      .constant(200, 100, 50, width: 2, height: 2), .init(a: 1, b: 0, tx: 0.5, ty: 0), width: 3, height: 1)
    #expect(half.pixels == [100, 50, 25, 200, 100, 50, 100, 50, 25])
  }

  @Test func farAwayIsBlack() {
    let picture = Picture.constant(255, 255, 255, width: 2, height: 2)
    let result = warp(picture, .init(a: 1e-12, b: 0, tx: 1e9, ty: -1e9), width: 4, height: 4)
    #expect(result.pixels.allSatisfy { $0 == 0 })
  }
}
