import Datasets
import Evaluation
import Files
import Foundation
import Inference
import MPI
import NeuralNetwork

/// Evaluates the network on people that it does not train on, while training.
final class Validation {
  struct Result: CustomStringConvertible {
    let accuracy: Double
    let areaUnderCurve: Double
    let pairs: Int
    let badImages: Int
    /// The best for these pairs and the weights as they are.
    let threshold: VerificationThreshold

    var description: String {
      String(format: "accuracy %.2f %%, area under the ROC curve %.4f over ", 100 * accuracy, areaUnderCurve)
        + "\(pairs) pairs" + (badImages > 0 ? "; \(badImages.counted("image")) could not be read" : "")
    }
  }

  let verification: Verification
  var notes: [String] { verification.source.notes }
  private let embedder: Embedder
  private let data: String
  private let badImageLimit: Int

  /// By `--validation`: a set of people, a .bin, or a pair list over `--validation-images`; else by the people held out; else nil.
  init?(_ options: TrainingOptions, heldOut: (any ImageSource)?, network: Network) throws {
    if let path = options.validation {
      if let images = options.validationImages {
        verification = try Verification(
          PairList(path: path, root: images), maximumBadImages: options.maxBadImages)
      } else if FilePath.hasEnding(".bin", path) {
        verification = try Verification(PairBin(path: path))
      } else {
        verification = try Verification(of: ImageSet.open(path), seed: options.seed)
      }
    } else if let heldOut {
      verification = try Verification(of: heldOut, seed: options.seed)
    } else {
      return nil
    }
    data = options.validation ?? "the people held out of \(options.data)"
    embedder = Embedder(network, batchSize: options.batchSize, workers: options.workers)
    badImageLimit = BadImage.limit(options.maxBadImages, of: verification.samples.count)
    // Now, not after the first epoch.
    let absent = try verification.source.inventory().absent
    try DividedImages.check(absent: absent, samples: verification.samples, limit: badImageLimit, verification.source)
  }

  /// Every rank calls it. Ten-fold accuracy where the pairs have folds, else that at the best threshold.
  func run(_ communicator: Communicator) throws -> Result {
    let result = try verification.run(embedder, badImageLimit: badImageLimit, communicator)
    let report = result.report
    let folds = report.crossValidation.flatMap { $0.prescribed ? $0.mean : nil }
    return Result(
      accuracy: folds ?? report.best.accuracy, areaUnderCurve: report.areaUnderCurve,
      pairs: result.pairs.count, badImages: result.badImages.count,
      threshold: report.threshold(data: data, flip: .sum, of: embedder.network))
  }
}
