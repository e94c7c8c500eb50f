/// Pictures seen through a similarity transform.
package enum ImageWarp {
  /// For each pixel (x, y) of the result, the four pixels around T(x, y) of `image`, weighted by their nearness.
  ///
  /// Samples as OpenCV's `warpAffine` does with INTER_LINEAR and BORDER_CONSTANT 0: pixel centres have whole coordinates,
  /// what lies outside is black, values are rounded to the nearest. Nothing is averaged where the picture shrinks; that
  /// is how the faces were made that published networks are trained on.
  ///
  /// - Parameters:
  ///   - toImage: T, from the result to `image`.
  ///   - pixels: the result, (height, width, 3).
  package static func bilinear(
    _ image: DecodedImage, _ toImage: SimilarityTransform, width: Int, height: Int,
    into pixels: UnsafeMutablePointer<UInt8>
  ) {
    let (right, bottom) = (Double(image.width), Double(image.height))
    for y in 0..<height {
      for x in 0..<width {
        let output = pixels + 3 * (width * y + x)
        let point = toImage(SimilarityTransform.Point(Double(x), Double(y)))
        // Further out than one pixel nothing of the picture counts. Also what keeps the conversions below in range.
        guard point.x > -1, point.y > -1, point.x < right, point.y < bottom else {
          output.update(repeating: 0, count: 3)
          continue
        }
        let (left, top) = (point.x.rounded(.down), point.y.rounded(.down))
        blend(image, Int(left), Int(top), Float(point.x - left), Float(point.y - top), output)
      }
    }
  }

  /// The pixels (x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1); `right` and `down` are the shares of the latter.
  private static func blend(
    _ image: DecodedImage, _ x: Int, _ y: Int, _ right: Float, _ down: Float, _ output: UnsafeMutablePointer<UInt8>
  ) {
    var sum = SIMD4<Float>(repeating: 0.5)
    for (row, rowWeight) in [(y, 1 - down), (y + 1, down)] where row >= 0 && row < image.height {
      for (column, weight) in [(x, rowWeight * (1 - right)), (x + 1, rowWeight * right)]
      where column >= 0 && column < image.width {
        let pixel = image.pixels + 3 * (image.width * row + column)
        sum += weight * SIMD4(Float(pixel[0]), Float(pixel[1]), Float(pixel[2]), 0)
      }
    }
    for channel in 0..<3 { output[channel] = UInt8(min(sum[channel], 255)) }
  }
}
