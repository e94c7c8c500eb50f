import Datasets
import Evaluation
import Files
import Foundation
import Reports

/// The evaluation of a run that no network made.
struct MadeUpEvaluation {
  var same = (0..<20).map { 0.55 + 0.35 * sin(Double(7 * $0)) }
  var different = (0..<100).map { 0.05 + 0.4 * sin(Double(13 * $0 + 1)) }

  var scores: [Double] { same + different }
  var truths: [Bool] { same.map { _ in true } + different.map { _ in false } }

  func verification() throws -> VerificationReport { try VerificationReport(scores: scores, same: truths) }

  /// - Parameter pixels: what raw pixels achieve.
  func evaluation(
    pixels: VerificationReport? = nil, confusedPeople: ConfusedPeople? = nil, names: [String] = []
  ) throws -> RunEvaluation {
    var members: [String: JSONValue] = [
      "model": .string("run"), "network": .string("mobilefacenet"), "embeddingWidth": .integer(32),
      "inputSide": .integer(48), "trainedSteps": .integer(7), "data": .string("faces"), "images": .integer(30),
      "selection": .string("all pairs"), "flip": .string("sum"), "badImages": .array([]),
      "embeddingNorms": try JSONValue(encoding: Distribution(of: [1, 3])),
      "verification": try JSONValue(encoding: verification()),
    ]
    if let pixels { members["rawPixels"] = try JSONValue(encoding: pixels) }
    return try RunEvaluation(
      JSONValue.object(members).decode(as: EvaluationReport.self), scores: scores, same: truths,
      confusedPeople: confusedPeople, names: names)
  }
}
