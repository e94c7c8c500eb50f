import Files
import Inference

/// From where on something counts as wrong, chosen for the network from the set's own cosines.
package struct CleaningBounds: Codable, Equatable, Sendable {
  /// Least mean cosine of two parts of a folder that are taken for one person: one in twenty pairs of strangers has
  /// more.
  package var partCosine: Double
  /// An image below is far from its person: one in a thousand strangers has more.
  package var ownCosine: Double
  /// The cosine that a quarter of the pairs of one person's images exceed: from there on two images are a second person.
  /// Three need less, since they look like each other three times.
  package var pairCosine: Double
  /// Least scores of `FindingKind.wrongLabel`, `.onePerson` and `.validation`.
  package var labelScore: Double
  package var personScore: Double
  package var validationScore: Double?
  /// Of `.duplicate`.
  package var pictureCorrelation: Double

  static let partShare = 0.95
  static let ownShare = 0.999
  static let pairShare = 0.75

  /// A bound that was asked for, or what the law of the scores gives.
  ///
  /// - Throws: `EvaluationError` where the scores are too few to choose one.
  static func score(
    _ asked: Double?, of scores: [Double], rate: Double, option: String, _ path: String
  ) throws(EvaluationError) -> Double {
    if let asked { return asked }
    guard let law = ExtremeLaw(of: scores) else {
      throw EvaluationError(
        "\(path.printableName): \(scores.count) scores of strangers are too few, or too alike, to choose a bound from "
          + "(\(ExtremeLaw.leastScores) are needed): give one by \(option)")
    }
    return law.bound(rate: rate)
  }
}
