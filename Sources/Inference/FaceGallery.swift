package import Datasets
package import Files

/// Known people, each by one template: the mean direction of the embeddings of their images.
///
/// N = people, K = width of what stands for an image, u = embeddings of length 1
///
///     t_p = sum of person p's u, divided by its length        cosine(u, p) = <u, t_p>
package struct FaceGallery: Sendable {
  package struct Candidate: Codable, Equatable, Sendable {
    package let name: Name
    /// With the template, in [-1, 1].
    package let cosine: Double
    /// Images of this person in the gallery.
    package let images: Int
  }

  package let names: [Name]
  package let width: Int
  /// (N, K)
  private let templates: [Float]
  private let imageCounts: [Int]

  /// Every rank calls it with the same values and gets the same. Images that cannot be read are left out, up to the limit.
  ///
  /// - Throws: `EvaluationError`, the same on every rank, also for a person of whom no image can be read or whose images'
  ///   directions cancel out.
  package init(
    _ people: any ImageSource, _ embedder: Embedder, flip: FlipTest = .sum, badImageLimit: Int = 0,
    _ group: any EmbeddingGroup
  ) throws {
    let embeddings = try embedder.embed(people, flip: flip, badImageLimit: badImageLimit, group)
    names = people.classNames
    let width = flip.width(embeddings.width)
    self.width = width
    var sums = [[Double]](repeating: [Double](repeating: 0, count: width), count: names.count)
    var counts = [Int](repeating: 0, count: names.count)
    for row in 0..<embeddings.count {
      let person = people.label(of: embeddings.samples[row])
      counts[person] += 1
      for (k, value) in try embeddings.unitVector(row, of: people).enumerated() { sums[person][k] += Double(value) }
    }
    var templates: [Float] = []
    for (person, sum) in sums.enumerated() {
      let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard norm > 0 else {
        throw EvaluationError(
          "The gallery has no image of '\(names[person].text.printableName)' from which a template can be made")
      }
      templates += sum.map { Float($0 / norm) }
    }
    self.templates = templates
    imageCounts = counts
  }

  /// The `count` people nearest to an embedding of length 1 (K), the nearest first; those of one cosine by name.
  package func candidates(for vector: [Float], count: Int) -> [Candidate] {
    precondition(vector.count == width, "An embedding of \(vector.count) values for a gallery of \(width)")
    let cosines = names.indices.map { person in
      let cosine = zip(vector, templates[(person * width)..<((person + 1) * width)])
        .reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      return (person, min(1, max(-1, cosine)))
    }
    return cosines.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.prefix(count).map { person, cosine in
      Candidate(name: names[person], cosine: cosine, images: imageCounts[person])
    }
  }
}
