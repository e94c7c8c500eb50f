package import Datasets
import Inference

/// What a verification came to, pair by pair and in all.
package struct VerificationResult: Sendable {
  package let report: VerificationReport
  /// The pairs that were compared: those of unreadable images are not among them.
  package let pairs: [FacePair]
  /// The cosine of each of `pairs`.
  package let scores: [Double]
  /// The fold of each of `pairs` in the cross validation; nil where there is none.
  package let folds: [Int]?
  /// Norms of the embeddings, of the images as they are.
  package let norms: Distribution
  package let badImages: [BadImage]

  /// Throws an `EvaluationError` for an embedding that is zero or not finite, and where no pair of one kind is left.
  init(of embeddings: Embeddings, _ verification: Verification) throws {
    let images = try embeddings.table(of: verification.source)
    let rows = Dictionary(uniqueKeysWithValues: zip(embeddings.samples, 0...))
    if let templates = verification.templates {
      let table = try TemplateTable(of: templates, images, rows, verification.pooling)
      pairs = verification.pairs.filter { table.has($0.first) && table.has($0.second) }
      scores = table.scores(of: pairs)
    } else {
      pairs = verification.pairs.filter { rows[$0.first] != nil && rows[$0.second] != nil }
      scores = pairs.map { images.cosine(rows[$0.first]!, rows[$0.second]!) }
    }
    norms = images.norms
    badImages = embeddings.badImages
    let (same, given) = (pairs.map(\.same), verification.foldCount > 1 ? pairs.map(\.fold) : nil)
    folds = (try? CrossValidation.folds(given: given, same: same).get())?.places
    report = try VerificationReport(scores: scores, same: same, folds: given)
  }
}
