package import Datasets
package import Inference
import Weights

/// What `cosface evaluate` says, as JSON and as a table: the same bytes on any number of ranks.
package struct EvaluationReport: ReportOfModel, Codable, Equatable, Sendable {
  /// Nil where its embeddings were given.
  package let model: String?
  package let embeddings: [String]?
  package let network: String?
  package let embeddingWidth: Int
  package let inputSide: Int?
  package let trainedSteps: Int?
  package let data: String
  /// Images that the pairs name.
  package let images: Int
  /// Templates that the pairs name, where they are of templates.
  package let templates: Int?
  /// How a template's images became one vector.
  package let pooling: TemplatePooling.Rule?
  /// Where the weights of the templates' images came from.
  package let detectorScores: String?
  /// Nil where a list of pairs says nothing of people.
  package let people: Int?
  /// How the pairs were chosen.
  package let selection: String
  package let flip: FlipTest
  package let badImages: [BadImage]
  package let embeddingNorms: Distribution
  package let verification: VerificationReport
  package let rawPixels: VerificationReport?

  init(
    options: EvaluationOptions, _ model: EvaluatedModel, verification: Verification, network: VerificationResult,
    rawPixels: VerificationResult?
  ) {
    let description = model.opened?.description
    self.model = options.model
    embeddings = options.model == nil ? options.embeddings : nil
    self.network = description?.network
    embeddingWidth = model.supply.width
    inputSide = description?.inputSide
    trainedSteps = description?.step
    data = options.data
    images = verification.samples.count
    templates = verification.templates.map { _ in verification.namedTemplates }
    pooling = verification.templates == nil ? nil : options.pooling
    detectorScores = options.detectorScores
    people = verification.knowsPeople ? verification.source.classNames.count : nil
    let heldOut = options.holdoutPeople > 0 ? " of the people held out by seed \(options.seed)" : ""
    selection =
      switch verification.selection {
      case .list(let path): "pairs of \(path)"
      case .templates(let path, let pairs): "pairs of \(pairs), templates of \(path)"
      case .all: "all pairs\(heldOut)"
      case .sample(let seed): "a balanced sample of pairs by seed \(seed)\(heldOut)"
      }
    flip = model.supply.flip
    badImages = network.badImages
    embeddingNorms = network.norms
    self.verification = network.report
    self.rawPixels = rawPixels?.report
  }
}
