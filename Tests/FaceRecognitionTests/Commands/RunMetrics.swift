import Foundation
import Training

/// What a run has written of its steps.
enum RunMetrics {
  /// The loss of each step, from the run's metrics.jsonl.
  static func losses(_ run: String) throws -> [Double] {
    try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(MetricsFile.Line.self, from: Data($0.utf8)).loss
    }
  }
}
