import Files
import Foundation

/// Brings one face after the other to its place. One per worker: it keeps its memory.
final class FaceAligner {
  /// What an aligned face came from.
  struct Fit: Equatable, Sendable {
    /// From the photograph to the result.
    let transform: SimilarityTransform
    /// Root mean square distance of the landmarks to the template in pixels of the result; nil for a box.
    let residual: Double?
  }

  /// Why there is no aligned face of an image that is in order.
  struct Refusal: Error {
    enum Kind: String, CaseIterable {
      case small = "too small"
      case mirrored = "mirrored"
      case outside = "outside the picture"
      case degenerate = "without a shape"
      case unlike = "unlike a face"
    }

    let kind: Kind
    let reason: String
  }

  private let table: FaceTable
  private let options: FaceAlignmentOptions
  private let encoder: ImageEncoder
  private let decoder = ImageDecoder()
  private let resizer: ImageResizer
  private let file = ByteBuffer()
  private let pixels = ByteBuffer()

  init(_ table: FaceTable, _ options: FaceAlignmentOptions) {
    (self.table, self.options) = (table, options)
    let size = options.size
    encoder = ImageEncoder(options.format, width: size.width, height: size.height)
    resizer = ImageResizer(width: size.width, height: size.height)
  }

  /// What the row alone says, without its image.
  func fit(_ row: Int) throws(Refusal) -> Fit {
    switch table.kind {
    case .landmarks:
      let points = table.landmarks(row)
      let transform = try transform(points)
      let residual = transform.residual(points, to: options.size.template)
      guard residual <= options.maximumResidual else {
        throw Refusal(
          kind: .unlike,
          reason: String(
            format: "its landmarks are no face's: they miss the template by %.1f pixels, where %g may be", residual,
            options.maximumResidual))
      }
      return Fit(transform: transform, residual: residual)
    case .boxes:
      let box = table.box(row)
      let (size, scale) = (options.size, Double(options.size.height) / cropSide(row))
      try checkSize(scale)
      // The box's middle comes to the middle; edges of pixels lie half a pixel before their centres.
      let transform = SimilarityTransform(
        a: scale, b: 0, tx: (Double(size.width) - 1) / 2 - scale * (box.left + (box.width - 1) / 2),
        ty: (Double(size.height) - 1) / 2 - scale * (box.top + (box.height - 1) / 2))
      return Fit(transform: transform, residual: nil)
    }
  }

  /// Reads the image at `path`, aligns the row's face, and calls `body` with the new file's bytes.
  ///
  /// - Throws: `Refusal`; `DataError` where the image cannot be read or decoded; what `body` throws.
  func align(_ row: Int, path: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    _ = try fit(row)
    try path.withCString { name in
      try ImageFile(path: name).withBytes(scratch: file) { bytes in
        let image = try decoder.decode(bytes, name: path)
        try body(encoder.encode(table.kind == .landmarks ? try warp(image, row) : try crop(image, row)))
      }
    }
  }

  /// Whether a file is a whole image of our size.
  func isWhole(_ path: String) -> Bool {
    let size = path.withCString { name in
      try? ImageFile(path: name).withBytes(scratch: file) { bytes in
        let image = try decoder.decode(bytes, name: path)
        return (image.width, image.height)
      }
    }
    return size.map { $0 == (options.size.width, options.size.height) } ?? false
  }

  private func transform(_ points: [SimilarityTransform.Point]) throws(Refusal) -> SimilarityTransform {
    let template = options.size.template
    guard let transform = SimilarityTransform(leastSquares: points, to: template) else {
      throw Refusal(kind: .degenerate, reason: "its landmarks coincide, or no turn of them is better than another")
    }
    guard !SimilarityTransform.isMirrored(points, to: template) else {
      throw Refusal(kind: .mirrored, reason: "only a mirrored picture would fit: left and right points are exchanged")
    }
    try checkSize(transform.scale)
    return transform
  }

  private func checkSize(_ scale: Double) throws(Refusal) {
    let side = Double(options.size.height) / scale
    guard side >= options.minimumFace else {
      let rounded = String(format: "%.1f", side)
      throw Refusal(kind: .small, reason: "its face is too small: \(rounded) pixels of the photograph make the picture")
    }
  }

  private func warp(_ image: DecodedImage, _ row: Int) throws -> UnsafePointer<UInt8> {
    let points = table.landmarks(row)
    for (index, point) in points.enumerated() {
      guard point.x >= -0.5, point.y >= -0.5, point.x <= Double(image.width) - 0.5,
        point.y <= Double(image.height) - 0.5
      else {
        throw Refusal(
          kind: .outside,
          reason:
            "landmark \(index + 1), (\(point.x), \(point.y)), lies outside its \(image.width) x \(image.height) pixels")
      }
    }
    let size = options.size
    let output = pixels.reserve(3 * size.width * size.height, of: UInt8.self)
    ImageWarp.bilinear(image, try transform(points).inverse, width: size.width, height: size.height, into: output)
    return UnsafePointer(output)
  }

  /// Height of the crop of a box, in pixels of the photograph.
  private func cropSide(_ row: Int) -> Double {
    let box = table.box(row)
    return options.margin * max(box.width, box.height)
  }

  /// The crop of a box, to the nearest pixel, black outside the photograph; shrunk by averages.
  private func crop(_ image: DecodedImage, _ row: Int) throws -> UnsafePointer<UInt8> {
    let box = table.box(row)
    let inside =
      max(min(box.left + box.width, Double(image.width)) - max(box.left, 0), 0)
      * max(min(box.top + box.height, Double(image.height)) - max(box.top, 0), 0)
    guard inside >= box.width * box.height / 2 else {
      throw Refusal(
        kind: .outside,
        reason: "more than half of its box lies outside its \(image.width) x \(image.height) pixels")
    }
    let size = options.size
    let side = cropSide(row)
    let height = max(Int(side.rounded()), 1)
    let width = max(Int((side * Double(size.width) / Double(size.height)).rounded()), 1)
    guard width <= ImageDecoder.maximumSide, height <= ImageDecoder.maximumSide,
      width * height <= ImageDecoder.maximumPixels
    else { throw Refusal(kind: .outside, reason: "its crop would be \(width) x \(height) pixels") }
    let left = Int((box.left + (box.width - Double(width)) / 2).rounded())
    let top = Int((box.top + (box.height - Double(height)) / 2).rounded())
    let cut = pixels.reserve(3 * width * height, of: UInt8.self)
    cut.update(repeating: 0, count: 3 * width * height)
    // Not empty: half of the box lies inside.
    let columns = max(left, 0)..<min(left + width, image.width)
    for y in max(top, 0)..<min(top + height, image.height) {
      let source = image.pixels + 3 * (image.width * y + columns.lowerBound)
      (cut + 3 * (width * (y - top) + columns.lowerBound - left)).update(from: source, count: 3 * columns.count)
    }
    return resizer.resize(DecodedImage(pixels: cut, width: width, height: height))
  }
}
