import Distributed
import Foundation
import Training

/// Bytes that a rank sends in a step for one purpose: by the formula and, where this program sends them itself, counted.
///
/// P = ranks, M = samples of a rank, K = embedding width, N = classes.
package struct Traffic: Encodable, Equatable, Sendable {
  package let name: String
  package let formula: Int
  /// Of the rank that sent most. nil where a routine of the MPI library chooses its own messages.
  package let counted: Int?

  /// What `step` sends in each of the `stepCount` steps that it has made, with `samples` a rank.
  static func ofStep(_ step: TrainingStep, samples: Int, stepCount: Int) throws -> [Traffic] {
    let sums = try sums(step, stepCount: stepCount)
    let (p, width, classes) = (step.communicator.size, step.head.width, step.head.classCount)
    guard p > 1 else { return sums }
    let rounds = Int(log2(Double(p)).rounded(.up))
    let embeddings = 4 * samples * width * (p - 1)
    let ofClassifier =
      switch step.settings.classifier {
      case .replicated: [("row factors, on rank 0", 4 * classes)]
      case .sharded:
        [
          ("embeddings and labels to all ranks", embeddings + 4 * samples * (p - 1)),
          ("maxima, sums and targets of the softmax", 20 * samples * p * rounds),
          ("embeddings' gradients to their ranks", embeddings),
        ]
      }
    return sums + ofClassifier.map { Traffic(name: $0.0, formula: $0.1, counted: nil) }
  }

  /// Sums of gradients and running statistics: 2 (P - 1) / P of their bytes. The counts differ where cache lines do not
  /// divide evenly among P ranks.
  private static func sums(_ step: TrainingStep, stepCount: Int) throws -> [Traffic] {
    let communicator = step.communicator
    return try GradientReducer.Part.allCases.map { part in
      let count =
        switch part {
        case .network: step.network.parameters.trainedCount
        case .classWeight: step.settings.classifier == .replicated ? step.head.classWeight.count : 0
        case .statistics: step.network.statistics.values.count
        }
      let type = part == .statistics ? GradientType.float32 : step.settings.gradientType
      let sent = step.sentBytes[part.rawValue] / max(stepCount, 1)
      return Traffic(
        name: part.label, formula: GradientReducer.bytesSent(count, ranks: communicator.size, type),
        counted: try communicator.allReduce(sent, .max))
    }
  }
}
