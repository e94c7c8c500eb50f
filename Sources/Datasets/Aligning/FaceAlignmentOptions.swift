/// What is aligned, and how.
package struct FaceAlignmentOptions: Sendable {
  /// The folder of the photographs.
  package var images: String
  /// A table of landmarks or boxes; see `FaceTable+Reading.swift`.
  package var table: String
  package var kind: FaceTable.Kind
  /// The folder to fill: PERSON/IMAGE.
  package var output: String
  /// A list of lines `image person`, where the images are not in people's folders.
  package var people: String?
  package var size = AlignedSize.square
  package var format = ImageEncoder.Format.jpeg(quality: 95)
  /// Height of a box's crop in parts of the box's longer side.
  package var margin = 1.3
  /// Least height, in pixels of the photograph, of what becomes the picture.
  package var minimumFace = 32.0
  /// Most root mean square distance of the five landmarks to the template, in pixels of the 112 x 112 template. Faces in
  /// front have 1 to 4, turned by 60 degrees about 10; five points on a line 14.5, which no network learns from.
  package var maximumResidual = 12.0
  /// Fraction of the rows that may be of no use: images absent or unreadable, rows without coordinates.
  package var maximumBadImages = 0.001
  package var workers = 1

  package init(images: String, table: String, kind: FaceTable.Kind, output: String) {
    (self.images, self.table, self.kind, self.output) = (images, table, kind, output)
  }
}

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
