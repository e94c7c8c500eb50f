import Datasets
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
        "accuracy", percent(best.accuracy),
        "at the best threshold, \(number(best.threshold)); one constant answer: \(percent(constantAccuracy))"
      ),
      ("precision", best.precision.map(percent) ?? "-", "there"),
      ("recall", percent(best.recall), "there"),
      ("F1", number(best.f1), "there"),
    ]
    if let folds = crossValidation {
      let origin = folds.prescribed ? "prescribed" : "assigned"
      rows.append(
        (
          "\(folds.accuracies.count)-fold accuracy", percent(folds.mean),
          "deviation \(percent(folds.standardDeviation)), standard error \(percent(folds.standardError)), "
            + "\(origin) folds"
        ))
    } else {
      rows.append(("10-fold accuracy", "-", crossValidationReason ?? ""))
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
    return Self.layout(rows)
  }

  private func scores(_ name: String, _ scores: Distribution) -> (String, String, String) {
    (
      "score, \(name)", number(scores.mean),
      "deviation \(number(scores.standardDeviation)), \(number(scores.minimum)) to \(number(scores.maximum))"
    )
  }

  /// Names to the left, figures to the right of their columns.
  private static func layout(_ rows: [(String, String, String)]) -> String {
    let names = rows.map(\.0.count).max() ?? 0
    let figures = rows.map(\.1.count).max() ?? 0
    return rows.map { name, figure, remark in
      let line =
        name + String(repeating: " ", count: names - name.count + 2)
        + String(repeating: " ", count: figures - figure.count) + figure
      return remark.isEmpty ? line : line + "  " + remark
    }.joined(separator: "\n")
  }

  private func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }

  private func number(_ value: Double) -> String { String(format: "%.4f", value) }
}
