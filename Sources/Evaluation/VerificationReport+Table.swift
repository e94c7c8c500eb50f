import Datasets
import Files
import Foundation

extension VerificationReport: CustomStringConvertible {
  /// The report as a table for people: a name, a figure, a remark.
  package var description: String {
    var rows: [(String, String, String)] = [
      (
        "pairs", "\(sameCount + differentCount)",
        "\(sameCount) of the same person, \(differentCount) of different people"
      ),
      (
        "accuracy, in-sample", percent(best.accuracy),
        "balanced, at the best threshold for these pairs, \(number(best.threshold))"
      ),
      ("precision", best.precision.map(percent) ?? "-", "there"),
      ("recall", percent(best.recall), "there"),
      ("F1", number(best.f1), "there"),
    ]
    if let folds = crossValidation {
      let origin = folds.prescribed ? "prescribed" : "assigned"
      rows.append(
        (
          "accuracy, \(folds.accuracies.count)-fold", percent(folds.mean),
          "balanced, deviation \(percent(folds.standardDeviation)), standard error \(percent(folds.standardError)), "
            + "\(origin) folds"
        ))
      if let theirs = folds.insightFace {
        rows.append(
          (
            "accuracy, InsightFace's", percent(theirs.mean),
            "deviation \(percent(theirs.deviation)), its grid of thresholds"
          ))
      }
      if let rate = folds.validationRate {
        rows.append(
          (
            "VAL at FAR 1e-3", percent(rate.mean),
            "deviation \(percent(rate.standardDeviation)), FAR of the folds \(String(format: "%.1e", rate.reachedFalseAcceptRate))"
          ))
      }
    } else {
      rows.append(("accuracy, 10-fold", "-", crossValidationReason ?? ""))
    }
    rows.append(("AUC", number(areaUnderCurve), ""))
    rows.append(("EER", percent(equalErrorRate), ""))
    for rate in acceptRates {
      let name = "TAR at FAR " + String(format: "%.0e", rate.falseAcceptRate).replacing("e-0", with: "e-")
      if let share = rate.trueAcceptRate, let threshold = rate.threshold {
        rows.append((name, percent(share), "threshold \(number(threshold))"))
      } else {
        rows.append((name, "-", rate.reason ?? ""))
      }
    }
    rows.append(scores("same person", sameScores))
    rows.append(scores("different people", differentScores))
    return TextTable.lines(rows.map { [$0.0, $0.1, $0.2] }, right: 1..<2).joined(separator: "\n")
  }

  private func scores(_ name: String, _ scores: Distribution) -> (String, String, String) {
    (
      "score, \(name)", number(scores.mean),
      "deviation \(number(scores.standardDeviation)), \(number(scores.minimum)) to \(number(scores.maximum))"
    )
  }

  private func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }

  private func number(_ value: Double) -> String { String(format: "%.4f", value) }
}
