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

extension Validation {
  /// Warnings before the first step: people and images of the validation that the network also trains on. People are
  /// compared by name where both sets have names, images by path. A .bin has neither.
  func warnings(trainingOn training: any ImageSource) -> [String] {
    let source = verification.source
    var warnings: [String] = []
    if verification.knowsPeople, source.namesPeople, training.namesPeople {
      let known = Set(training.classNames)
      let shared = source.classNames.filter(known.contains)
      if !shared.isEmpty {
        warnings.append(
          Self.warning(
            shared.map(\.text), "\(shared.count) of the \(source.classNames.count) people", "have names of people"))
      }
    }
    let shared = ImagePaths(source, verification.samples).shared(with: training)
    if !shared.isEmpty {
      warnings.append(Self.warning(shared, "\(shared.count) of the \(verification.samples.count) images", "are images"))
    }
    return warnings
  }

  private static func warning(_ names: [String], _ who: String, _ what: String) -> String {
    let examples = names.prefix(3).map(\.printableName).joined(separator: ", ") + (names.count > 3 ? ", ..." : "")
    return
      "warning   \(who) of the validation \(what) in --data (\(examples)): accuracy and best checkpoint look better "
      + "than they are for strangers, and threshold.json comes from them. Validate by other people; --holdout-people n "
      + "keeps n out of the training."
  }
}

/// Paths of images without links, to find those that two sets share.
private struct ImagePaths {
  /// File names, compared first: few images of a large set are left for the paths.
  private var names: Set<Name> = []
  private var paths: Set<Name> = []

  init(_ source: any ImageSource, _ samples: [Int]) {
    guard !(source is PairBin) else { return }
    var folders: [Name: String] = [:]
    for sample in samples {
      let (folder, name) = FilePath.split(source.path(of: sample))
      names.insert(Name(name))
      paths.insert(Self.path(folder, name, &folders))
    }
  }

  /// The images of `other` that are among these, as it names them.
  func shared(with other: any ImageSource) -> [String] {
    guard !names.isEmpty else { return [] }
    var folders: [Name: String] = [:]
    return (0..<other.count).filter { sample in
      let (folder, name) = FilePath.split(other.path(of: sample))
      return names.contains(Name(name)) && paths.contains(Self.path(folder, name, &folders))
    }.map(other.identifier)
  }

  private static func path(_ folder: String, _ name: String, _ folders: inout [Name: String]) -> Name {
    let resolved = folders[Name(folder)] ?? FilePath.resolved(folder)
    folders[Name(folder)] = resolved
    return Name("\(resolved)/\(name)")
  }
}
