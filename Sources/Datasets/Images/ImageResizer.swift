import Files

/// Images of any size to one size by bilinear interpolation that averages where it shrinks, as Pillow's BILINEAR does.
///
/// The aspect ratio is not kept: aligned faces are square, or meant to become so. One per worker: tables and memory are
/// kept from image to image.
package final class ImageResizer {
  package let width: Int
  package let height: Int
  private var columns = Taps(from: 1, to: 1)
  private var rows = Taps(from: 1, to: 1)
  /// The image after its rows have been shortened: (height, width, 3) Floats.
  private let narrow = ByteBuffer()
  private let output = ByteBuffer()

  package init(width: Int, height: Int) {
    precondition(width > 0 && height > 0, "Images of \(width) x \(height)")
    self.width = width
    self.height = height
  }

  package convenience init(side: Int) { self.init(width: side, height: side) }

  /// (height, width, 3) pixels, valid until the next call; those of `image` itself where it has this size.
  package func resize(_ image: DecodedImage) -> UnsafePointer<UInt8> {
    if image.width == width && image.height == height { return image.pixels }
    if columns.inputs != image.width || columns.outputs != width { columns = Taps(from: image.width, to: width) }
    if rows.inputs != image.height || rows.outputs != height { rows = Taps(from: image.height, to: height) }
    let line = 3 * width
    let narrowed = narrow.reserve(line * (image.height + 1), of: Float.self)
    for row in 0..<image.height {
      shorten(image.pixels + 3 * image.width * row, to: narrowed + line * row)
    }
    let sum = narrowed + line * image.height
    let pixels = output.reserve(line * height, of: UInt8.self)
    for row in 0..<height {
      sum.update(repeating: 0, count: line)
      for tap in 0..<rows.counts[row] {
        let weight = rows.weights[rows.width * row + tap]
        let source = narrowed + line * (rows.starts[row] + tap)
        for index in 0..<line { sum[index] += weight * source[index] }
      }
      // Weights sum to 1 up to rounding; half a level is added and at most 255.5 cut off.
      for index in 0..<line { pixels[line * row + index] = UInt8(min(max(sum[index] + 0.5, 0), 255.5)) }
    }
    return UnsafePointer(pixels)
  }

  private func shorten(_ source: UnsafePointer<UInt8>, to destination: UnsafeMutablePointer<Float>) {
    columns.weights.withUnsafeBufferPointer { weights in
      for column in 0..<width {
        var (red, green, blue): (Float, Float, Float) = (0, 0, 0)
        let pixels = source + 3 * columns.starts[column]
        for tap in 0..<columns.counts[column] {
          let weight = weights[columns.width * column + tap]
          red += weight * Float(pixels[3 * tap])
          green += weight * Float(pixels[3 * tap + 1])
          blue += weight * Float(pixels[3 * tap + 2])
        }
        destination[3 * column] = red
        destination[3 * column + 1] = green
        destination[3 * column + 2] = blue
      }
    }
  }

  /// Which inputs each output averages, with what weights: a triangle of the width of one output pixel on each side,
  /// or of one input pixel where the image grows.
  private struct Taps {
    let inputs: Int
    let outputs: Int
    /// Room for weights per output.
    let width: Int
    private(set) var starts: [Int] = []
    private(set) var counts: [Int] = []
    private(set) var weights: [Float]

    init(from inputs: Int, to outputs: Int) {
      self.inputs = inputs
      self.outputs = outputs
      let scale = Double(inputs) / Double(outputs)
      let support = max(scale, 1)
      width = Int(support.rounded(.up)) * 2 + 1
      weights = [Float](repeating: 0, count: width * outputs)
      for output in 0..<outputs {
        let center = (Double(output) + 0.5) * scale
        let start = max(0, Int(center - support + 0.5))
        let end = min(inputs, Int(center + support + 0.5))
        let triangle = (start..<end).map { max(0, 1 - abs(Double($0) + 0.5 - center) / support) }
        let total = triangle.reduce(0, +)
        for (tap, weight) in triangle.enumerated() { weights[width * output + tap] = Float(weight / total) }
        starts.append(start)
        counts.append(end - start)
      }
    }
  }
}
