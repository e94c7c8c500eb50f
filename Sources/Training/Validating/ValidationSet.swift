import Datasets
import Evaluation
import Files
import Foundation
import Inference
import MPI
import NeuralNetwork

/// One of the sets that the network is evaluated on while training: people that it does not train on.
final class ValidationSet {
  /// What a validation by it came to, the figures of `cosface evaluate`.
  struct Result: CustomStringConvertible {
    let line: MetricsFile.Validation
    let areaUnderCurve: Double
    let pairs: Int
    let badImages: Int
    /// The best for these pairs and the weights as they are.
    let threshold: VerificationThreshold

    var description: String {
      let folds = line.crossValidatedAccuracy.map { String(format: "cross-validated accuracy %.2f %%, ", 100 * $0) }
      return line.set.printableName + ": " + (folds ?? "")
        + String(
          format: "accuracy %.2f %% at the best threshold, area under the ROC curve %.4f over ", 100 * line.accuracy,
          areaUnderCurve) + "\(pairs) pairs"
        + (badImages > 0 ? "; \(badImages.counted("image")) could not be read" : "")
    }
  }

  let source: ValidationSource
  let verification: Verification
  private let embedder: Embedder
  private let data: String
  private let badImageLimit: Int

  /// - Throws: what is wrong with its files, and `DataError` where too many of its images are absent.
  init(
    _ source: ValidationSource, _ options: TrainingOptions, heldOut: (any ImageSource)?, _ embedder: Embedder
  ) throws {
    self.source = source
    self.embedder = embedder
    switch source.kind {
    case .pairs(let path, let root):
      verification = try Verification(
        PairList(path: path, root: root), maximumBadImages: options.maxBadImages)
      data = path
    case .set(let path) where FilePath.hasEnding(".bin", path):
      verification = try Verification(PairBin(path: path))
      data = path
    case .set(let path):
      verification = try Verification(of: ImageSet.open(path), seed: options.seed)
      data = path
    case .heldOut:
      guard let heldOut else { preconditionFailure("Nobody was held out") }
      verification = try Verification(of: heldOut, seed: options.seed)
      data = "the people held out of \(options.data.map(\.printableName).joined(separator: ", "))"
    }
    badImageLimit = BadImage.limit(options.maxBadImages, of: verification.samples.count)
    // Now, not after the first epoch.
    let absent = try verification.source.inventory().absent
    try DividedImages.check(absent: absent, samples: verification.samples, limit: badImageLimit, verification.source)
  }

  /// Every rank calls it.
  func run(_ communicator: Communicator) throws -> Result {
    let result = try verification.run(
      .network(embedder, flip: .sum), badImageLimit: badImageLimit, communicator)
    let report = result.report
    return Result(
      line: .init(
        set: source.name, accuracy: report.best.accuracy, crossValidatedAccuracy: report.crossValidation?.mean,
        areaUnderCurve: report.areaUnderCurve),
      areaUnderCurve: report.areaUnderCurve, pairs: report.sameCount + report.differentCount,
      badImages: result.badImages.count,
      threshold: report.threshold(data: data, flip: .sum, of: embedder.network))
  }
}
