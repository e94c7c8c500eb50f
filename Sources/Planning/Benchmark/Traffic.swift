import Distributed
import Foundation
import MPI
import Training

/// Bytes that a rank sends in a step for one purpose: by the formula and, where this program sends them itself, counted.
///
/// P = ranks, M = samples of a rank, K = embedding width, N = classes.
package struct Traffic: Encodable, Equatable, Sendable {
  package let name: String
  package let formula: Int
  /// Of the rank that sent most. nil where a routine of the MPI library chooses its own messages.
  package let counted: Int?

  /// What `step` sends in each of the `stepCount` steps that it has made, with `samples` a rank: gradients and statistics
  /// first, whose counts differ from the formula where cache lines do not divide evenly among P ranks.
  static func ofStep(_ step: TrainingStep, samples: Int, stepCount: Int) throws -> [Traffic] {
    let (communicator, messages) = (step.communicator, step.messages)
    let parts = GradientReducer.Part.allCases.filter { $0 != .teacherMap || messages.teacherMap > 0 }
    let sums = try parts.map { part in
      let sent = step.sentBytes[part.rawValue] / max(stepCount, 1)
      let isSent = part != .classWeight || messages.classifier == .replicated
      return Traffic(
        isSent ? messages.message(part.message) : messages.message(part.message).part(of: 0), ranks: communicator.size,
        counted: try communicator.allReduce(sent, .max))
    }
    // The trainer sends the agreement, not the step.
    let others = messages.messages(samples: samples * communicator.size).filter {
      $0.way != .sum && $0.name != .agreement
    }
    return sums + others.map { Traffic($0, ranks: communicator.size, counted: nil) }
  }

  private init(_ message: StepMessages.Message, ranks: Int, counted: Int?) {
    name = message.name.rawValue
    formula = Int(message.bytesSent(ranks: ranks))
    self.counted = counted
  }
}
