import Files
import Foundation

/// The outcomes of an alignment as a list for programs and as a report.
///
/// The list has the transform u = a x - b y + tx, v = b x + a y + ty from photograph to face; for a box that of the box
/// itself, before its crop was brought to whole pixels.
struct AlignmentResult {
  let csv: String
  let report: AlignmentReport

  /// `outcomes` by place in `plan.rows`.
  init(_ table: FaceTable, _ plan: AlignmentPlan, _ outcomes: [Alignment.Outcome], _ options: FaceAlignmentOptions) {
    var csv = "image,output,a,b,tx,ty,residual,reason\n"
    var (residuals, scales): ([Double], [Double]) = ([], [])
    var worst: [(name: String, residual: Double)] = []
    var (kept, withoutPerson) = (0, 0)
    var refusedCounts: [String: Int] = [:]
    var refused: [AlignmentReport.Listed] = []
    var bad = plan.bad.map { AlignmentReport.Listed(image: $0.name, reason: $0.reason) }
    for (place, outcome) in outcomes.enumerated() {
      let (name, output) = (table.names[plan.rows[place]], plan.outputs[place])
      switch outcome {
      case .aligned(let fit, let wasThere):
        if wasThere { kept += 1 }
        if !output.utf8.contains(UInt8(ascii: "/")) { withoutPerson += 1 }
        scales.append(fit.transform.scale)
        if let residual = fit.residual {
          residuals.append(residual)
          if worst.count < 3 || residual > worst[2].residual {
            worst.append((name, residual))
            // Stable: of equals the first row stays.
            worst = worst.enumerated().sorted { ($1.element.residual, $0.offset) < ($0.element.residual, $1.offset) }
              .prefix(3).map(\.element)
          }
        }
        let transform = [fit.transform.a, fit.transform.b, fit.transform.tx, fit.transform.ty].map { "\($0)" }
        csv += Self.line([name, output] + transform + [fit.residual.map { "\($0)" } ?? "", ""])
      case .refused(let refusal):
        refusedCounts[refusal.kind.rawValue, default: 0] += 1
        refused.append(.init(image: name, reason: refusal.reason))
        csv += Self.refusal(name, refusal.reason)
      case .bad(let reason):
        bad.append(.init(image: name, reason: reason))
        csv += Self.refusal(name, reason)
      }
    }
    for row in plan.bad { csv += Self.refusal(row.name, row.reason) }
    self.csv = csv
    report = AlignmentReport(
      table: options.table, output: options.output, rows: table.count + table.problems.count, aligned: scales.count,
      kept: kept, repeatedRows: plan.repeated, refusedCounts: refusedCounts, refused: refused, bad: bad,
      residuals: residuals.isEmpty ? nil : Distribution(of: residuals),
      worst: worst.map { .init(image: $0.name, reason: String(format: "%.2f pixels", $0.residual)) },
      scales: scales.isEmpty ? nil : Distribution(of: scales), withoutPerson: withoutPerson)
  }

  private static func refusal(_ name: String, _ reason: String) -> String {
    line([name] + [String](repeating: "", count: 6) + [reason])
  }

  private static func line(_ fields: [String]) -> String { fields.map(CSV.field).joined(separator: ",") + "\n" }
}
