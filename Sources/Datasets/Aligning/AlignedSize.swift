/// The sizes that aligned faces have in this field, height x width.
package enum AlignedSize: String, Codable, CaseIterable, Sendable {
  /// What networks are trained on since ArcFace.
  case square = "112x112"
  /// What SphereFace's and CosFace's papers used: the same scale, eight columns less on each side.
  case portrait = "112x96"

  package var height: Int { 112 }
  package var width: Int { self == .square ? 112 : 96 }

  /// Where the eyes, the tip of the nose and the corners of the mouth come to lie: first the eye, and the corner, that
  /// stand left in the picture. The centre of the first pixel is (0, 0).
  ///
  /// SphereFace's template for 112x96 (Liu et al., CVPR 2017); ArcFace moved it by 8 to the right (Deng et al., CVPR 2019).
  package var template: [SimilarityTransform.Point] {
    let shift = Double(width - 96) / 2
    return [
      (30.2946, 51.6963), (65.5318, 51.5014), (48.0252, 71.7366), (33.5493, 92.3655), (62.7299, 92.2041),
    ].map { SimilarityTransform.Point($0.0 + shift, $0.1) }
  }
}
