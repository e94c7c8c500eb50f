/// What becomes of the embedding x of an image and the embedding x' of its mirror image.
package enum FlipTest: String, Codable, CaseIterable, Sendable {
  /// x + x'
  case sum
  /// (x, x'), twice as wide: what CosFace's and SphereFace's papers report.
  case concatenate
  /// x alone; the mirror image is not looked at.
  case none

  package var description: String {
    switch self {
    case .sum: "each the sum of the image's and its mirror image's"
    case .concatenate: "each the image's and its mirror image's, one behind the other"
    case .none: ""
    }
  }
}
