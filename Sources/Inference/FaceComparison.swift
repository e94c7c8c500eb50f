import Datasets
package import Weights

/// Two photographs and whether they show the same person.
package struct FaceComparison: Codable, Equatable, Sendable, CustomStringConvertible {
  package let first: String
  package let second: String
  /// In [-1, 1].
  package let cosine: Double
  /// Nil where nobody said: neither the caller nor the run.
  package let threshold: Double?
  /// Where the threshold comes from.
  package let thresholdSource: String
  package let samePerson: Bool?

  /// Every rank calls it with the same values and gets the same.
  ///
  /// - Throws: what is wrong with the model or a photograph.
  package init(_ first: String, _ second: String, _ options: InferenceOptions, _ group: any EmbeddingGroup) throws {
    let (file, _, network) = try ModelFile.open(options.model, assuming: options.assumedModel)
    let images = ImageList([first, second], root: ".")
    let embedder = Embedder(network, batchSize: options.batchSize, workers: options.workers)
    let embeddings = try embedder.embed(images, flip: options.flip, group)
    self.first = first
    self.second = second
    cosine = try embeddings.table(of: images).cosine(0, 1)
    let threshold = try DecisionThreshold(options, beside: file.path, of: network)
    (self.threshold, thresholdSource) = (threshold.value, threshold.source)
    let cosine = cosine
    samePerson = threshold.value.map { cosine >= $0 }
  }

  package var description: String {
    let verdict = samePerson.map { $0 ? "the same person" : "different people" } ?? "unknown"
    return """
      cosine     \(Figures.fixed(cosine))
      threshold  \(threshold.map { Figures.fixed($0) + ", " } ?? "")\(thresholdSource)
      verdict    \(verdict)
      """
  }
}

/// The network that looks at a few photographs, and how.
package struct InferenceOptions: Equatable, Sendable {
  package var model: String
  /// What is said of it beside its file.
  package var assumedModel = AssumedModel()
  package var flip = FlipTest.sum
  /// From which cosine on two images show the same person; the run's own unless given.
  package var threshold: Double?
  package var batchSize = 32
  package var workers = 1

  package init(model: String) { self.model = model }
}
