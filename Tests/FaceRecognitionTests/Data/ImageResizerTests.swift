import Datasets
import Testing

@Suite struct ImageResizerTests {
  private func resize(_ picture: Picture, to side: Int) -> [UInt8] {
    picture.pixels.withUnsafeBufferPointer { pixels in
      let image = DecodedImage(pixels: pixels.baseAddress!, width: picture.width, height: picture.height)
      let resizer = ImageResizer(side: side)
      return [UInt8](UnsafeBufferPointer(start: resizer.resize(image), count: 3 * side * side))
    }
  }

  private func grey(_ rows: [[UInt8]]) -> Picture {
    Picture(width: rows[0].count, height: rows.count) { x, y, _ in rows[y][x] }
  }

  private func everyThird(_ pixels: [UInt8]) -> [UInt8] { stride(from: 0, to: pixels.count, by: 3).map { pixels[$0] } }

  @Test func equalSizeIsACopy() {
    let picture = Picture(width: 5, height: 5) { x, y, channel in UInt8(50 * x + 10 * y + channel) }
    #expect(resize(picture, to: 5) == picture.pixels)
  }

  /// Two to four: centres at 0.25, 0.75, 1.25, 1.75 pixels, so weights 1 | 3/4 1/4 | 1/4 3/4 | 1 along each axis.
  @Test func growing() {
    let expected: [UInt8] = [
      0, 25, 75, 100,
      25, 50, 100, 125,
      75, 100, 150, 175,
      100, 125, 175, 200,
    ]
    #expect(everyThird(resize(grey([[0, 100], [100, 200]]), to: 4)) == expected)
  }

  /// Four to two: a triangle two pixels wide over the centre 1: weights 1/8 3/8 3/8 1/8, the first of them outside, so
  /// 3/7 3/7 1/7; mirrored for the other.
  @Test func shrinking() {
    let row: [UInt8] = [0, 70, 140, 210]
    // (3 * 0 + 3 * 70 + 140) / 7 = 50, (70 + 3 * 140 + 3 * 210) / 7 = 160
    #expect(everyThird(resize(grey([row, row, row, row]), to: 2)) == [50, 160, 50, 160])
  }

  /// Every pixel counts when the picture shrinks: a fine checkerboard becomes grey and not black or white.
  @Test func shrinkingAverages() {
    let board = Picture(width: 160, height: 120) { x, y, _ in (x + y) % 2 == 0 ? 255 : 0 }
    #expect(resize(board, to: 10).allSatisfy { (126...129).contains($0) })
  }

  @Test(arguments: [(92, 112), (7, 3), (300, 17), (1, 1)])
  func constantStaysConstant(width: Int, height: Int) {
    let pixels = resize(.constant(255, 0, 77, width: width, height: height), to: 16)
    #expect((0..<256).allSatisfy { Array(pixels[(3 * $0)..<(3 * $0 + 3)]) == [255, 0, 77] })
  }

  @Test func tablesFollowTheImage() {
    let resizer = ImageResizer(side: 8)
    for (width, height) in [(20, 30), (30, 20), (20, 30), (8, 9)] {
      let picture = Picture(width: width, height: height) { x, y, channel in UInt8((7 * x + 5 * y + channel) % 256) }
      let again = picture.pixels.withUnsafeBufferPointer {
        let image = DecodedImage(pixels: $0.baseAddress!, width: width, height: height)
        return [UInt8](UnsafeBufferPointer(start: resizer.resize(image), count: 192))
      }
      #expect(again == resize(picture, to: 8))
    }
  }
}
