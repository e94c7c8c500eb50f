/// What a network's file does to images before its first layer: z = factor x + shift, for each of the three channels.
///
/// x the images that the file takes   u = (pixel - 127.5) / 127.5, the images that networks here take
struct ImageTransform: Equatable {
  private(set) var factor = [1.0, 1, 1]
  private(set) var shift = [0.0, 0, 0]
  /// For messages: the last node that has a part in it; nil where none has.
  private(set) var title: String?

  /// Followed by y = a z + b.
  func then(_ a: [Double], _ b: [Double], _ title: String) -> ImageTransform? {
    guard [1, 3].contains(a.count), [1, 3].contains(b.count) else { return nil }
    var result = self
    for c in 0..<3 {
      let (a, b) = (a[a.count == 1 ? 0 : c], b[b.count == 1 ? 0 : c])
      result.factor[c] = a * factor[c]
      result.shift[c] = a * shift[c] + b
    }
    result.title = title
    return result
  }

  /// r with z = r u, for each channel; nil where z is 0 elsewhere than u: at padded borders no first layer can make that up.
  ///
  /// The images that a file takes are told by the value that it makes 0: 127.5 of pixels, 0.5 of pixels / 255, and where it
  /// does nothing to them they are u.
  func scale(ofPixels: Bool) -> [Double]? {
    if title == nil || (factor == [1, 1, 1] && shift == [0, 0, 0]) { return ofPixels ? nil : [1, 1, 1] }
    let middles: [Double] = ofPixels ? [127.5] : [127.5, 0.5]
    let middle = middles.first { middle in
      (0..<3).allSatisfy { factor[$0] != 0 && abs(-shift[$0] / factor[$0] - middle) <= 1e-4 * middle }
    }
    // What differs from 1 by the rounding of a Float alone is 1: our own exports keep their bits.
    return middle.map { middle in factor.map { abs($0 * middle - 1) < 2e-7 ? 1 : $0 * middle } }
  }
}
