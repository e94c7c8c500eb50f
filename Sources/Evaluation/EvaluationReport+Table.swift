import Files
import Foundation

extension EvaluationReport: CustomStringConvertible {
  /// For people.
  package var description: String {
    let whose = people.map { " of \($0) people" } ?? templates.map { " in \($0) templates" } ?? ""
    let norms = [embeddingNorms.mean, embeddingNorms.standardDeviation].map { String(format: "%.3f", $0) }
    let parts = [
      """
      \(origin(column: 12))
      data        \(data): \(images) images\(whose); \(selection)
      embeddings  norm \(norms[0]), deviation \(norms[1])\(flip == .none ? "" : "; " + flip.description)
      """ + (pooling.map { "\ntemplates   " + $0.description(scores: detectorScores) } ?? ""),
      verification.description,
      templates == nil ? nil : nearestPoints,
      rawPixels.map(comparison),
      badImages.isEmpty ? nil : "Images that could not be read, their pairs left out:\n" + badImageLines,
    ]
    return parts.compactMap { $0 }.joined(separator: "\n\n")
  }

  /// What programs for templates print.
  private var nearestPoints: String {
    let rows = verification.acceptRates.map { rate in
      let point = rate.nearestPoint
      return [
        "FAR \(rate.falseAcceptRate.shown)", Self.percent(point.trueAcceptRate),
        "at FAR \(String(format: "%.3g", point.falseAcceptRate))",
      ]
    }
    return "TAR at the nearest FAR of the curve, as insightface prints it:\n"
      + TextTable.lines(rows, right: 1..<2).map { "  " + $0 }.joined(separator: "\n")
  }

  private var badImageLines: String {
    badImages.map { "  \($0.identifier): \($0.reason)" }.joined(separator: "\n")
  }

  /// The main figures beside those of the pixels.
  private func comparison(_ pixels: VerificationReport) -> String {
    let rows = zip(Self.figures(verification), Self.figures(pixels)).map { [$0.name, $0.value, $1.value] }
    return TextTable.lines([["", "network", "raw pixels"]] + rows, right: 1..<3).joined(separator: "\n")
  }

  private static func figures(_ report: VerificationReport) -> [(name: String, value: String)] {
    [
      ("accuracy, in-sample", percent(report.best.accuracy)),
      ("precision", report.best.precision.map(percent) ?? "-"),
      ("recall", percent(report.best.recall)),
      ("F1", String(format: "%.4f", report.best.f1)),
      ("accuracy, cross-validated", report.crossValidation.map { percent($0.mean) } ?? "-"),
      ("AUC", String(format: "%.4f", report.areaUnderCurve)),
      ("EER", percent(report.equalErrorRate)),
    ]
  }

  private static func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
}
