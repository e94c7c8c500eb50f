import Datasets
import Weights

/// Who of a gallery's people photographs show.
package struct GallerySearch: Codable, Equatable, Sendable, CustomStringConvertible {
  package struct Photograph: Codable, Equatable, Sendable {
    package let path: String
    /// The nearest first.
    package let candidates: [FaceGallery.Candidate]
  }

  package let gallery: String
  package let people: Int
  /// Below it a photograph is taken to show nobody of the gallery; nil where nobody said.
  package let threshold: Double?
  /// Where the threshold comes from.
  package let thresholdSource: String
  package let photographs: [Photograph]
  /// Of the gallery.
  package let notes: [String]

  /// Every rank calls it with the same values and gets the same.
  ///
  /// - Parameters:
  ///   - gallery: a folder with a folder of images for each person.
  ///   - top: candidates of each photograph.
  /// - Throws: what is wrong with the model, the gallery or a photograph.
  package init(
    of photographs: [String], in gallery: String, top: Int, _ options: InferenceOptions, _ group: any EmbeddingGroup
  ) throws {
    let people = try ImageFolder(root: gallery)
    try DividedImages.check(absent: people.inventory().absent, limit: 0, people)
    let (file, _, network) = try ModelFile.open(options.model, assuming: options.assumedModel)
    let embedder = Embedder(network, batchSize: options.batchSize, workers: options.workers)
    let threshold = try DecisionThreshold(options, beside: file.path, of: network)
    let images = ImageList(photographs, root: ".")
    // The photographs first: a wrong name should not cost the time of a large gallery.
    let embeddings = try embedder.embed(images, flip: options.flip, group)
    let known = try FaceGallery(people, embedder, flip: options.flip, group)
    self.gallery = gallery
    notes = people.notes
    self.people = known.names.count
    (self.threshold, thresholdSource) = (threshold.value, threshold.source)
    self.photographs = try photographs.indices.map { row in
      Photograph(
        path: photographs[row],
        candidates: known.candidates(for: try embeddings.unitVector(row, of: images), count: top))
    }
  }

  package var description: String {
    photographs.map { photograph in
      let lines = photograph.candidates.enumerated().map { place, candidate in
        let images = candidate.images == 1 ? "1 image" : "\(candidate.images) images"
        let doubt = threshold.map { candidate.cosine < $0 } == true ? ", below the threshold" : ""
        return
          "  \(place + 1)  \(Figures.fixed(candidate.cosine))  \(candidate.name.text.printableName) (\(images)\(doubt))"
      }
      return ([photograph.path.printableName] + lines).joined(separator: "\n")
    }.joined(separator: "\n") + "\nthreshold  \(threshold.map { Figures.fixed($0) + ", " } ?? "")\(thresholdSource)"
  }
}
