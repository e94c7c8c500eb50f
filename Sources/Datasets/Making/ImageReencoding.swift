import Files

/// How a set's images are stored: their files' own bytes, unless a size or a quality is asked for.
package struct ImageReencoding: Codable, Equatable, Sendable {
  /// Images of another size are resized to this side.
  package var side: Int?
  /// Every image is stored as JPEG of this quality. With a side alone, those resized are: of quality 95.
  package var quality: Int?

  package static let defaultQuality = 95

  package init(side: Int? = nil, quality: Int? = nil) {
    self.side = side
    self.quality = quality
  }

  /// An image as it will be stored.
  struct Encoded: Sendable {
    let bytes: [UInt8]
    let width: Int
    let height: Int
  }

  /// One thread's way from image files to what is stored.
  final class Worker {
    private let reencoding: ImageReencoding
    private let decoder = ImageDecoder()
    /// For the last size.
    private var encoder: ImageEncoder?
    private let resizer: ImageResizer?
    private let scratch = ByteBuffer()

    init(_ reencoding: ImageReencoding) {
      self.reencoding = reencoding
      resizer = reencoding.side.map(ImageResizer.init(side:))
    }

    /// Decodes the image in any case: what cannot be read shall not be stored.
    func encode(_ sample: Int, of source: any ImageSource) throws -> Encoded {
      try source.withEncodedImage(of: sample, scratch: scratch) { file in
        let image = try decoder.decode(file, name: source.path(of: sample))
        let side = reencoding.side
        let (width, height) = (side ?? image.width, side ?? image.height)
        let isOther = (width, height) != (image.width, image.height)
        guard isOther || reencoding.quality != nil else {
          return Encoded(bytes: [UInt8](file), width: width, height: height)
        }
        let pixels = resizer?.resize(image) ?? image.pixels
        let quality = reencoding.quality ?? ImageReencoding.defaultQuality
        if encoder?.width != width || encoder?.height != height {
          encoder = ImageEncoder(.jpeg(quality: quality), width: width, height: height)
        }
        return Encoded(bytes: [UInt8](encoder!.encode(pixels)), width: width, height: height)
      }
    }
  }
}
