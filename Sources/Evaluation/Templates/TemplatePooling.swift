import Datasets
import Files

/// How the vectors of a template's images become one.
///
/// v_i = an image's embedding, or what the flip test makes of both (`EmbeddingTable`); s_i = its detector score, or 1
///
///     u_i = v_i / |v_i| (unit), v_i (norm)
///     medium = mean of s_i u_i over its images     template = mean of its media     score = cosine of two templates
///
/// As InsightFace's `eval_ijbc.py` computes them: `norm` is its `use_norm_score`, scores its `use_detector_score`. A
/// length says how sure the network is of a face; with unit vectors every image of a medium counts alike.
package struct TemplatePooling: Equatable, Sendable {
  package enum Rule: String, Codable, CaseIterable, Sendable {
    case unit, norm
  }

  package var rule: Rule
  /// Scores by images of the list; nil where all count alike.
  package var weights: [Float]?

  package init(_ rule: Rule = .unit, weights: [Float]? = nil) {
    (self.rule, self.weights) = (rule, weights)
  }
}

extension TemplatePooling {
  /// By which ranks agree on the weights.
  var digest: String {
    weights.map { $0.withUnsafeBytes { Digest(of: $0).description } } ?? "none"
  }
}

extension TemplateList {
  /// With the images and the detector scores that the options name.
  ///
  /// - Throws: `FileError`, or `DataError` where a list is wrong.
  init(path: String, _ options: EvaluationOptions) throws {
    try self.init(path: path, pairs: nil, root: options.data)
    if let scores = options.detectorScores { try readDetectorScores(scores) }
  }
}

extension TemplatePooling.Rule {
  /// For people; `scores` is the file of the detector scores.
  func description(scores: String?) -> String {
    let vectors =
      switch self {
      case .unit: "means of their media's means of unit vectors"
      case .norm: "means of their media's means of embeddings as long as they are"
      }
    return vectors + (scores.map { ", weighted by \($0.printableName)" } ?? "")
  }
}
