import Evaluation

/// A model's rates of errors, or those of the pixels themselves, as charts draw them over a logarithmic rate of false
/// accepts.
struct ErrorCurve {
  let name: String
  /// Chooses color and dashes.
  let number: Int
  let report: VerificationReport

  /// Below this no chart goes.
  private static let leastRate = 1e-6
  /// Of the pixels' curves, behind the colors of runs.
  private static let pixelsNumber = 6

  /// Those of the runs, then those of the pixels, each once: runs that see images in one size share theirs.
  static func all(_ runs: [Chart.Evaluated]) -> [ErrorCurve] {
    let own = runs.map { ErrorCurve(name: $0.name, number: $0.number, report: $0.evaluation.report.verification) }
    let pixels = runs.compactMap { run in
      run.evaluation.report.rawPixels.map {
        ErrorCurve(name: "\(run.name), raw pixels", number: pixelsNumber, report: $0)
      }
    }
    guard let first = pixels.first else { return own }
    let isShared = pixels.allSatisfy { $0.report == first.report }
    return own + (isShared ? [ErrorCurve(name: "raw pixels", number: pixelsNumber, report: first.report)] : pixels)
  }

  /// The rate of a single false accept where there are the most pairs: a logarithmic axis has no 0.
  static func leastFalseAcceptRate(_ curves: [ErrorCurve]) -> Double {
    least(of: curves.map(\.report.differentCount).max() ?? 1)
  }

  /// The same of false rejects.
  static func leastFalseRejectRate(_ curves: [ErrorCurve]) -> Double {
    least(of: curves.map(\.report.sameCount).max() ?? 1)
  }

  private static func least(of pairs: Int) -> Double { min(max(1 / Double(pairs), leastRate), 0.1) }

  /// From the rate of false accepts `least` on. The last point before it comes first: that is how the curve enters.
  func points(from least: Double) -> ArraySlice<ROCCurve.Point> {
    report.curve[(report.curve.lastIndex { $0.falseAcceptRate < least } ?? 0)...]
  }

  /// The rates of false accepts for which reports give a figure, 0.1, 0.01 and so on, with a cell for each curve.
  static func table(
    _ caption: String, _ figure: String, of curves: [ErrorCurve], _ text: (_ trueAcceptRate: Double) -> String
  ) -> Table {
    let rates = curves.first?.report.acceptRates.map(\.falseAcceptRate) ?? []
    return Table(
      caption: caption, corner: "FAR", columns: curves.count > 1 ? curves.map(\.name) : [figure],
      rows: rates.indices.map { index in
        (
          title: Figure.short(rates[index]),
          cells: curves.map { $0.report.acceptRates[index].trueAcceptRate.map(text) ?? "too few pairs" }
        )
      })
  }
}
