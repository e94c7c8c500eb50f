import Files
import Inference

/// People whom a file of embeddings knows, each by the mean direction of their images.
///
/// ```swift
/// let people = try model.people(path: "staff.safetensors")
/// let nearest = try people.nearest(to: model.embed(files: ["door.jpg"]), count: 1)
/// ```
/// The file is a .safetensors that `cosface embed` made of a folder for each person; `cosface gallery` adds people to it.
public struct KnownPeople: Sendable {
  /// Somebody whom a photograph may show.
  public struct Candidate: Equatable, Sendable {
    /// The name of the folder, or as the list said it.
    public let name: String
    /// With the mean direction of this person's images, in [-1, 1].
    public let cosine: Double
    /// Images of this person in the file.
    public let images: Int
  }

  private let gallery: FaceGallery

  init(_ gallery: FaceGallery) { self.gallery = gallery }

  /// How many there are.
  public var count: Int { gallery.names.count }

  /// For each embedding the `count` likeliest people, the likeliest first. Many at once are searched fastest.
  ///
  /// - Throws: an error that names an embedding, by its number, which is all zeros or not finite, or of another width.
  public func nearest(to faces: [FaceEmbedding], count: Int) throws -> [[Candidate]] {
    precondition(count > 0, "The likeliest \(count) people")
    guard !faces.isEmpty else { return [] }
    if let other = faces.firstIndex(where: { $0.values.count != gallery.width }) {
      throw EvaluationError(
        "Embedding \(other) has \(faces[other].values.count) values, those of the file have \(gallery.width)")
    }
    let probes = try EmbeddingTable(faces.flatMap(\.values), width: gallery.width) { "embedding \($0)" }
    return gallery.candidates(for: probes, count: count).map { candidates in
      candidates.map { Candidate(name: $0.name.text, cosine: $0.cosine, images: $0.images) }
    }
  }
}

extension FaceModel {
  /// The people of a file that `cosface embed` made with this model.
  ///
  /// - Parameter flip: as ``embed(files:flip:)`` is asked for embeddings that are compared with them.
  /// - Throws: an error whose description says what is wrong with the file, also where another model made it.
  public func people(path: String, flip: Bool = true) throws -> KnownPeople {
    let file = try GalleryFile(path: path)
    _ = try file.rows.check(madeBy: backbone, network, flip: flip ? .sum : .none)
    return KnownPeople(try FaceGallery(file))
  }
}
