import Datasets
import Distributed
import Files
import Foundation
import Inference
package import MPI
import Weights

/// The evaluation of one model by one set of pairs, on all ranks.
///
/// ```swift
/// let evaluation = try Evaluation(options, communicator)
/// let report = try evaluation.run()
/// if communicator.rank == 0 { print(report) }
/// ```
package final class Evaluation {
  package let verification: Verification
  private let options: EvaluationOptions
  private let communicator: Communicator
  private let description: ModelDescription
  private let weightFile: String
  private let embedder: Embedder
  /// What `run` came to, pair by pair.
  package var result: VerificationResult? { results?.network }
  /// Made by `run`.
  private var results: (network: VerificationResult, rawPixels: VerificationResult?)?

  /// Opens the model and the data; every rank calls it.
  ///
  /// - Throws: what is wrong with a file, or a `RankAgreement.Failure` where the ranks see different models or images.
  package init(_ options: EvaluationOptions, _ communicator: Communicator) throws {
    self.options = options
    self.communicator = communicator
    let (file, description, network) = try ModelFile.open(options.model, assuming: options.assumedModel)
    weightFile = file.path
    self.description = description
    embedder = Embedder(network, batchSize: options.batchSize, workers: options.workers)
    verification = try Self.verification(options)
    let (samples, inventory) = (verification.samples, try verification.source.inventory())
    try RankAgreement.check(
      [
        ("weights of \(options.model)", network.weightsDigest),
        ("images in \(options.data)", inventory.fingerprint),
        ("pairs", "\(verification.pairs.count), \(samples.count) images"),
        ("detector scores", verification.pooling.digest),
      ], communicator)
    try DividedImages.check(
      absent: inventory.absent, samples: samples, limit: BadImage.limit(options.maximumBadImages, of: samples.count),
      verification.source)
    // Told before the work.
    if let far = options.thresholdAt {
      try Self.checkThreshold(at: far, differentCount: verification.pairs.count { !$0.same })
    }
  }

  private static func checkThreshold(at far: Double, differentCount: Int) throws(EvaluationError) {
    guard let shortage = AcceptRate.shortage(at: far, differentCount: differentCount) else { return }
    throw EvaluationError("There is no threshold at FAR \(far.shown): it \(shortage)")
  }

  private static func verification(_ options: EvaluationOptions) throws -> Verification {
    let isBin = FilePath.hasEnding(".bin", options.data)
    if let pairs = options.pairs {
      guard !isBin else {
        throw EvaluationError("--pairs does not go with \(options.data.printableName): a .bin holds its own pairs")
      }
      if let templates = options.templates {
        let list = try TemplateList(path: templates, pairs: pairs, options)
        return try Verification(list, pooling: TemplatePooling(options.pooling, weights: list.detectorScores))
      }
      return try Verification(
        PairList(path: pairs, root: options.data), maximumBadImages: options.maximumBadImages)
    }
    if isBin {
      guard options.holdoutPeople == 0 else {
        throw EvaluationError(
          "--holdout-people does not go with \(options.data.printableName): a .bin says nothing of people")
      }
      return try Verification(PairBin(path: options.data))
    }
    let folder = try ImageSet.open(options.data)
    let source: any ImageSource =
      options.holdoutPeople > 0
      ? try folder.split(holdoutPeople: options.holdoutPeople, seed: options.seed).heldOut : folder
    return try Verification(of: source, maximumPairs: options.maximumPairs, seed: options.seed)
  }

  /// People among the evaluated whose names stand in the model: their figures tell little of strangers.
  package var trainedPeople: Int {
    guard verification.knowsPeople, verification.source.namesPeople else { return 0 }
    return Set(description.classNames).intersection(verification.source.classNames).count
  }

  /// Every rank calls it and gets the same, to the byte, on any number of ranks of as many threads.
  package func run() throws -> EvaluationReport {
    let limit = BadImage.limit(options.maximumBadImages, of: verification.samples.count)
    let network = try verification.run(embedder, flip: options.flip, badImageLimit: limit, communicator)
    let rawPixels =
      options.rawPixels
      ? try verification.runRawPixels(
        flip: options.flip, badImageLimit: limit, workers: options.workers, communicator) : nil
    results = (network, rawPixels)
    return EvaluationReport(
      options: options, model: description, verification: verification, network: network, rawPixels: rawPixels)
  }

  /// Writes each pair that `run` compared, its fold of the cross validation (empty where there was none) and its cosines, one
  /// a line under a header, as CSV. One rank calls it.
  ///
  /// - Throws: `FileError`
  package func writeScores(to path: String) throws {
    guard let results else { preconditionFailure("Scores are written after the run") }
    var text = "first,second,same,fold,cosine" + (results.rawPixels == nil ? "\n" : ",rawPixels\n")
    for (index, pair) in results.network.pairs.enumerated() {
      var fields = [pair.first, pair.second].map { CSV.field(verification.name(of: $0)) }
      fields += [
        pair.same ? "1" : "0", results.network.folds.map { "\($0[index])" } ?? "", "\(results.network.scores[index])",
      ]
      // Both read the same images, so their pairs are the same.
      if let rawPixels = results.rawPixels { fields.append("\(rawPixels.scores[index])") }
      text += fields.joined(separator: ",") + "\n"
    }
    try AtomicFile.write(Data(text.utf8), to: path)
  }

  /// Writes every point of the ROC curve that `run` found, from the highest threshold to the lowest, as CSV. One rank
  /// calls it.
  ///
  /// - Throws: `FileError`
  package func writeROC(to path: String) throws {
    var text = "threshold,falseAcceptRate,trueAcceptRate\n"
    for point in try ROCCurve(of: ranked()).points {
      text += "\(point.threshold),\(point.falseAcceptRate),\(point.trueAcceptRate)\n"
    }
    try AtomicFile.write(Data(text.utf8), to: path)
  }

  /// Fails where the threshold could not be kept. One rank calls it before the run.
  ///
  /// - Throws: `FileError`
  package func tryOutThreshold() throws { try AtomicFile.tryOut(VerificationThreshold.path(beside: weightFile)) }

  /// The scores that `run` found.
  private func ranked() throws -> RankedScores {
    guard let results else { preconditionFailure("Scores are ranked after the run") }
    let scores = results.network.scores
    return try RankedScores(
      scores: scores, same: results.network.pairs.map(\.same), folds: [Int](repeating: 0, count: scores.count),
      foldCount: 1)
  }

  /// Keeps the threshold that `run` found best, or the one at the FAR that the options give, beside the model, for
  /// `compare`. One rank calls it.
  ///
  /// - Throws: `FileError`; `EvaluationError` where unreadable images leave too few pairs for this FAR.
  package func keepThreshold() throws {
    guard let results else { preconditionFailure("A threshold is kept after the run") }
    let data = options.pairs ?? options.data
    guard let far = options.thresholdAt else {
      try results.network.report.threshold(data: data, flip: options.flip, of: embedder.network)
        .write(beside: weightFile)
      return
    }
    let ranked = try ranked()
    try Self.checkThreshold(at: far, differentCount: ranked.differentCount)
    let cut = ROCCurve(of: ranked).cut(
      acceptingAtMost: AcceptRate.acceptable(at: far, differentCount: ranked.differentCount))
    let point = OperatingPoint(cut, of: ranked)
    try VerificationThreshold(
      threshold: point.threshold, at: (far, point.recall), accuracy: point.accuracy, pairs: ranked.entries.count,
      data: data, flip: options.flip, of: embedder.network
    ).write(beside: weightFile)
  }
}
