import Files
import Foundation
import NeuralNetwork

/// From which cosine on two images are taken for the same person, and who said so.
struct DecisionThreshold {
  /// nil where nobody said: neither the caller nor the run.
  let value: Double?
  /// For a person.
  let source: String

  /// The one that `options` give, else that which was kept beside the model for embeddings of the same kind.
  ///
  /// - Throws: `ModelFileError` where what is kept cannot be read.
  init(_ options: InferenceOptions, beside weightFile: String, of network: Network) throws {
    let kept = try VerificationThreshold.read(beside: weightFile, of: network)
    if let given = options.threshold {
      (value, source) = (given, "given")
    } else if let kept, kept.flip == options.flip {
      value = kept.threshold
      source = Self.source(of: kept)
    } else {
      value = nil
      source =
        kept.map { "the run's is for --flip \($0.flip.rawValue)" }
        ?? "these weights have none: give --threshold, or find one by `cosface evaluate --keep-threshold`"
    }
  }

  private static func source(of kept: VerificationThreshold) -> String {
    guard let far = kept.falseAcceptRate, let tar = kept.trueAcceptRate else {
      return
        "the best for \(kept.pairs) pairs of \(kept.data), balanced accuracy \(Figures.percent(kept.accuracy)) there"
    }
    return "that of FAR \(far.shown) on \(kept.pairs) pairs of \(kept.data), where TAR is \(Figures.percent(tar))"
  }
}

/// Numbers as people read them.
package enum Figures {
  /// A cosine: 0.6123
  package static func fixed(_ value: Double) -> String { String(format: "%.4f", value) }

  /// 0.9231 as 92.31 %
  package static func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
}
