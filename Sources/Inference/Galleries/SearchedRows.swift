import Datasets
import Files

extension GallerySearch {
  /// What is searched for, or among: images that are yet to be embedded, or rows of a file.
  struct Rows {
    /// Nil where they are images.
    let file: EmbeddingFile?
    private let gallery: GalleryFile?
    private let images: (any ImageSource)?
    /// Photographs as a person named them; nil for a set, whose images have names of their own.
    private let paths: [String]?
    private let badImageLimit: Int

    /// A gallery: each row shows a known person.
    init(gallery path: String, _ maximumBadImages: Double) throws {
      gallery = GalleryFile.isNamed(by: path) ? try GalleryFile(path: path) : nil
      file = gallery?.rows
      paths = nil
      images = gallery == nil ? try ImageSet.open(path) : nil
      badImageLimit = try Self.limit(images, maximumBadImages)
    }

    init(_ probes: Probes, _ maximumBadImages: Double) throws {
      gallery = nil
      switch probes {
      case .photographs(let paths):
        (file, self.paths, images) = (nil, paths, ImageList(paths, root: "."))
        badImageLimit = BadImage.limit(maximumBadImages, of: paths.count)
      case .set(let path):
        file = GalleryFile.isNamed(by: path) ? try EmbeddingFile(path: path) : nil
        paths = nil
        images = file == nil ? try ImageSet.images(at: path) : nil
        badImageLimit = try Self.limit(images, maximumBadImages)
      }
    }

    /// - Throws: `EvaluationError` where more images are no files than may be unreadable.
    private static func limit(_ images: (any ImageSource)?, _ maximumBadImages: Double) throws -> Int {
      guard let images else { return 0 }
      let limit = BadImage.limit(maximumBadImages, of: images.count)
      try DividedImages.check(absent: images.inventory().absent, limit: limit, images)
      return limit
    }

    var notes: [String] { images?.notes ?? [] }

    /// Every rank calls it.
    func embedded(_ embedder: Embedder, _ flip: FlipTest, _ group: any EmbeddingGroup) throws -> Embedded {
      Embedded(
        rows: self,
        embeddings: try images.map { try embedder.embed($0, flip: flip, badImageLimit: badImageLimit, group) })
    }

    /// The rows, with the embeddings of those that were images.
    struct Embedded {
      let rows: Rows
      let embeddings: Embeddings?

      var badImages: [BadImage] { embeddings?.badImages ?? [] }

      func name(_ row: Int) -> String {
        guard let images = rows.images, let embeddings else { return rows.file!.names[row].text }
        let sample = embeddings.samples[row]
        return rows.paths?[sample] ?? images.identifier(of: sample)
      }

      func gallery() throws -> FaceGallery {
        if let gallery = rows.gallery { return try FaceGallery(gallery) }
        return try FaceGallery(embeddings!, of: rows.images!)
      }

      func table() throws -> EmbeddingTable {
        if let embeddings { return try embeddings.table(of: rows.images!) }
        return try rows.file!.table()
      }
    }
  }
}
