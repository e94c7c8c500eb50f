package import Datasets
package import Files
import NeuralNetwork
import Weights

/// Who of a gallery's people photographs show.
package struct GallerySearch: Codable, Equatable, Sendable {
  package struct Photograph: Codable, Equatable, Sendable {
    package let path: String
    /// Whether it shows nobody of the gallery, for the nearest is below the threshold; nil where nobody said one.
    package let isNobody: Bool?
    /// The nearest first.
    package let candidates: [FaceGallery.Candidate]
  }

  /// What is searched for.
  package enum Probes: Equatable, Sendable {
    case photographs([String])
    /// A folder of images at any depth, a list of them, a .rec, or a .safetensors of `cosface embed`.
    case set(String)
  }

  package let gallery: String
  package let people: Int
  /// Below it a photograph is taken to show nobody of the gallery; nil where nobody said.
  package let threshold: Double?
  /// Where the threshold comes from.
  package let thresholdSource: String
  package let photographs: [Photograph]
  /// Photographs, and images of the gallery, that could not be read.
  package let badImages: [BadImage]
  /// Of gallery and photographs.
  package let notes: [String]

  /// Every rank calls it with the same values; the answer is rank 0's, which does what is not embedding.
  ///
  /// - Parameters:
  ///   - gallery: a set with people, as `ImageSet.open` knows them, or a .safetensors of `cosface embed`.
  ///   - top: candidates of each photograph.
  ///   - maximumBadImages: fraction of the photographs, and of the gallery's images, that may be unreadable.
  /// - Throws: what is wrong with the model, the gallery or a photograph.
  package static func run(
    _ probes: Probes, in gallery: String, top: Int, maximumBadImages: Double, _ options: InferenceOptions,
    _ group: any EmbeddingGroup
  ) throws -> GallerySearch? {
    let known = try Rows(gallery: gallery, maximumBadImages)
    let searched = try Rows(probes, maximumBadImages)
    let (file, _, network) = try ModelFile.open(options.model, assuming: options.assumedModel)
    let doubts = try [known, searched].flatMap {
      try $0.file?.check(madeBy: network, options.model, flip: options.flip) ?? []
    }
    let threshold = try DecisionThreshold(options, beside: file.path, of: network)
    let embedder = Embedder(network, batchSize: options.batchSize, workers: options.workers)
    // The photographs first: a wrong name should not cost the time of a large gallery.
    let probe = try searched.embedded(embedder, options.flip, group)
    let people = try known.embedded(embedder, options.flip, group)
    guard group.rank == 0 else { return nil }
    let faces = try people.gallery()
    let answers = try faces.candidates(for: probe.table(), count: top)
    return GallerySearch(
      gallery: gallery, people: faces.names.count, threshold: threshold.value, thresholdSource: threshold.source,
      photographs: answers.enumerated().map { row, candidates in
        Photograph(
          path: probe.name(row), isNobody: threshold.value.map { candidates[0].cosine < $0 }, candidates: candidates)
      }, badImages: (probe.badImages + people.badImages), notes: doubts + known.notes + searched.notes)
  }

  /// Each candidate of each photograph, one a line under a header, as CSV. `match` is 1 where the cosine is not below the
  /// threshold, 0 where it is, and empty where there is none.
  ///
  /// - Throws: `FileError`
  package func writeCandidates(to path: String) throws {
    let file = try AtomicFile(path: path)
    try Array("photograph,rank,person,cosine,match\n".utf8).withUnsafeBytes { try file.write($0) }
    for photograph in photographs {
      var text = ""
      for (place, candidate) in photograph.candidates.enumerated() {
        let match = threshold.map { candidate.cosine < $0 ? "0" : "1" } ?? ""
        text += CSV.field(photograph.path) + ",\(place + 1)," + CSV.field(candidate.name.text)
        text += ",\(candidate.cosine),\(match)\n"
      }
      try Array(text.utf8).withUnsafeBytes { try file.write($0) }
    }
    try file.commit()
  }
}

extension GallerySearch: CustomStringConvertible {
  package var description: String {
    photographs.map { photograph in
      let answer = photograph.isNobody.map { $0 ? ["  answer  nobody"] : ["  answer  \(Self.shown(photograph))"] } ?? []
      let lines = photograph.candidates.enumerated().map { place, candidate in
        let images = candidate.images == 1 ? "1 image" : "\(candidate.images) images"
        let doubt = threshold.map { candidate.cosine < $0 } == true ? ", below the threshold" : ""
        return
          "  \(place + 1)  \(Figures.fixed(candidate.cosine))  \(candidate.name.text.printableName) (\(images)\(doubt))"
      }
      return ([photograph.path.printableName] + answer + lines).joined(separator: "\n")
    }.joined(separator: "\n") + "\n" + thresholdLine
  }

  private static func shown(_ photograph: Photograph) -> String { photograph.candidates[0].name.text.printableName }

  /// Where the candidates stand elsewhere: how many photographs show whom.
  package var summary: String {
    let nobody = photographs.count { $0.isNobody == true }
    let answers = threshold == nil ? "" : ", \(nobody.grouped) of them of nobody in the gallery"
    return """
      searched   \(photographs.count.counted("photograph")) among \(people.grouped) people\(answers)
      \(thresholdLine)
      """
  }

  private var thresholdLine: String {
    "threshold  \(threshold.map { Figures.fixed($0) + ", " } ?? "")\(thresholdSource)"
  }
}
