package import Datasets
package import Inference
import Weights

/// What the searches of templates in galleries came to: the same bytes on any number of ranks.
package struct TemplateIdentificationReport: ReportOfModel, Codable, Equatable, Sendable {
  package struct Gallery: Codable, Equatable, Sendable {
    /// The gallery's list.
    package let path: String
    package let templates: Int
    /// Searches for people of this gallery, and for others.
    package let matedSearches: Int
    package let strangerSearches: Int
    /// Of the mated searches, at ranks 1, 5 and 10.
    package let rates: [IdentificationReport.RankRate]
    /// At FPIR 0.01 and 0.1.
    package let openSet: [OpenSetRate]
    /// The same as InsightFace's `ijb_evals.py` computes it; nil without strangers.
    package let insightFace: [InsightFaceRate]?

    package init(_ searches: GallerySearches) {
      path = searches.path
      templates = searches.templates
      let (mated, strangers) = (searches.mated, searches.strangers)
      (matedSearches, strangerSearches) = (mated.count, strangers.count)
      rates = IdentificationReport.rates(of: searches.ranks, at: [1, 5, 10])
      openSet = OpenSetRate.usual(strangers: strangers, mated: mated)
      insightFace = InsightFaceRate.ofStrangers(strangers, mated)
    }
  }

  /// The means of the galleries' figures, in their order; nil where a gallery has none.
  package struct Mean: Codable, Equatable, Sendable {
    /// Ranks 1, 5 and 10.
    package let rates: [Double]
    /// The same as `ijb_evals.py` has it: what was found in all galleries together, divided by the number of probes.
    package let insightFaceRates: [Double]
    /// FPIR 0.01 and 0.1.
    package let openSet: [Double?]
    package let insightFace: [Double]?

    package init(of galleries: [Gallery], probes: Int) {
      func mean(_ values: [Double?]) -> Double? {
        let present = values.compactMap { $0 }
        return present.count == values.count ? present.reduce(0, +) / Double(present.count) : nil
      }
      let places = galleries[0].rates.indices
      rates = places.map { place in mean(galleries.map { $0.rates[place].rate })! }
      insightFaceRates = places.map { place in
        Double(galleries.reduce(0) { $0 + $1.rates[place].found }) / Double(probes)
      }
      openSet = galleries[0].openSet.indices.map { place in mean(galleries.map { $0.openSet[place].truePositiveRate }) }
      let theirs = InsightFaceRate.shares.indices.compactMap { place in
        mean(galleries.map { $0.insightFace?[place].truePositiveRate })
      }
      insightFace = theirs.isEmpty ? nil : theirs
    }
  }

  /// Nil where the embeddings came from files, as are the network's name, input and steps.
  package let model: String?
  /// The files; nil where a model was asked.
  package let embeddings: [String]?
  package let network: String?
  package let embeddingWidth: Int
  package let inputSide: Int?
  package let trainedSteps: Int?
  package let flip: FlipTest
  package let data: String
  /// The list of templates, and how their images became one vector.
  package let templates: String
  package let pooling: TemplatePooling.Rule
  package let detectorScores: String?
  /// The list of probes, and how many of them have an image that could be read.
  package let probes: String
  package let probeTemplates: Int
  package let images: Int
  package let galleries: [Gallery]
  package let mean: Mean
  /// Nil where a probe's person is not in one of the galleries alone.
  package let joined: JoinedGalleries?
  package let embeddingNorms: Distribution
  package let badImages: [BadImage]

  init(
    options: EvaluationOptions, _ model: EvaluatedModel, images: Int, probes: String, searches: [GallerySearches],
    embeddingNorms: Distribution, badImages: [BadImage]
  ) {
    let description = model.opened?.description
    self.model = options.model
    embeddings = options.model == nil ? options.embeddings : nil
    network = description?.network
    embeddingWidth = model.supply.width
    inputSide = description?.inputSide
    trainedSteps = description?.step
    flip = model.supply.flip
    data = options.data
    templates = options.templates ?? ""
    pooling = options.pooling
    detectorScores = options.detectorScores
    self.probes = probes
    probeTemplates = searches[0].probes.count
    self.images = images
    galleries = searches.map(Gallery.init)
    mean = Mean(of: galleries, probes: probeTemplates)
    joined = JoinedGalleries(searches)
    (self.embeddingNorms, self.badImages) = (embeddingNorms, badImages)
  }
}
