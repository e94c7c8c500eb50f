import Foundation
import Training

/// What a run has written of its steps.
enum RunMetrics {
  /// The loss of each step, from the run's metrics.jsonl.
  static func losses(_ run: String) throws -> [Double] { try lines(run).map(\.loss) }

  /// The mean cosine to the teacher's embeddings, of each step that has one.
  static func teacherCosines(_ run: String) throws -> [Double] { try lines(run).compactMap(\.teacherCosine) }

  static func lines(_ run: String) throws -> [MetricsFile.Line] {
    try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(MetricsFile.Line.self, from: Data($0.utf8))
    }
  }
}
