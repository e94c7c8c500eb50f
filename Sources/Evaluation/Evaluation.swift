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
  private let model: EvaluatedModel
  /// What `run` came to, pair by pair those of this rank's part.
  package var result: VerificationResult? { results?.network }
  /// Made by `run`.
  private var results: (network: VerificationResult, rawPixels: VerificationResult?)?

  /// Opens the model, or the embeddings, and the data; every rank calls it.
  ///
  /// - Throws: what is wrong with a file, or a `RankAgreement.Failure` where the ranks see different models or images.
  package init(_ options: EvaluationOptions, _ communicator: Communicator) throws {
    self.options = options
    self.communicator = communicator
    model = try EvaluatedModel(
      options.model, assuming: options.assumedModel, embeddings: options.embeddings, flip: options.flip,
      batchSize: options.batchSize, workers: options.workers)
    verification = try Self.verification(options, communicator)
    let (samples, source) = (verification.samples, verification.source)
    // Images whose embeddings are there need not be.
    let inventory = model.opened == nil ? nil : try source.inventory()
    try RankAgreement.check(
      [
        model.agreement, ("images in \(options.data)", inventory?.fingerprint ?? source.fingerprintOfNames),
        ("pairs", "\(verification.counts.same + verification.counts.different), \(samples.count) images"),
        ("detector scores", verification.pooling.digest),
      ], communicator)
    if let inventory {
      try DividedImages.check(absent: inventory.absent, samples: samples, limit: badImageLimit, source)
    }
    // Told before the work.
    if let far = options.thresholdAt {
      try Self.checkThreshold(at: far, differentCount: verification.counts.different)
    }
  }

  private var badImageLimit: Int { BadImage.limit(options.maximumBadImages, of: verification.samples.count) }

  private static func checkThreshold(at far: Double, differentCount: Int) throws(EvaluationError) {
    guard let shortage = AcceptRate.shortage(at: far, differentCount: differentCount) else { return }
    throw EvaluationError("There is no threshold at FAR \(far.shown): it \(shortage)")
  }

  private static func verification(_ options: EvaluationOptions, _ communicator: Communicator) throws -> Verification {
    let isBin = FilePath.hasEnding(".bin", options.data)
    if let pairs = options.pairs {
      guard !isBin else {
        throw EvaluationError("--pairs does not go with \(options.data.printableName): a .bin holds its own pairs")
      }
      if let templates = options.templates {
        var list = try TemplateList(path: templates, options)
        try list.readPairs(pairs, part: communicator.rank, of: communicator.size)
        guard try communicator.allReduce(list.pairs.count) > 0 else { throw list.emptiness }
        return try Verification(
          list, pooling: TemplatePooling(options.pooling, weights: list.detectorScores), communicator)
      }
      return try Verification(
        PairList.read(
          path: pairs, root: options.data, checksFiles: options.model != nil, communicator),
        maximumBadImages: options.maximumBadImages, communicator)
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
    guard let opened = model.opened, verification.knowsPeople, verification.source.namesPeople else { return 0 }
    return Set(opened.description.classNames).intersection(verification.source.classNames).count
  }

  /// From so many pairs on the user is told what they take.
  private static let manyPairs = 1_000_000

  /// What the comparison takes, found by a short measurement; nil where pairs are few. Every rank calls it.
  ///
  /// - Throws: `MemoryNeed` where this host cannot hold its ranks' embeddings.
  package func cost() throws -> ComparisonCost? {
    let pairs = verification.counts.same + verification.counts.different
    guard pairs >= Self.manyPairs else { return nil }
    let cost = try ComparisonCost(
      images: verification.samples.count, pairs: pairs, width: model.supply.rowWidth,
      networkBytes: model.supply.networkBytes, communicator)
    try cost.check(communicator)
    return cost
  }

  /// Every rank calls it and gets the same, to the byte, on any number of ranks of as many threads.
  package func run() throws -> EvaluationReport {
    let network = try verification.run(model.supply, badImageLimit: badImageLimit, communicator)
    let rawPixels =
      options.rawPixels
      ? try verification.runRawPixels(
        flip: options.flip, badImageLimit: badImageLimit, workers: options.workers, communicator) : nil
    results = (network, rawPixels)
    return EvaluationReport(
      options: options, model, verification: verification, network: network, rawPixels: rawPixels)
  }

  /// Writes each pair that `run` compared, its fold of the cross validation (empty where there was none) and its cosines, one
  /// a line under a header, as CSV. Every rank calls it, and rank 0 writes.
  ///
  /// - Throws: `FileError`
  package func writeScores(to path: String) throws {
    guard let results else { preconditionFailure("Scores are written after the run") }
    let network = results.network
    let hasFolds = network.report.crossValidation != nil
    let header = "first,second,same,fold,cosine" + (results.rawPixels == nil ? "\n" : ",rawPixels\n")
    try communicator.write(to: path, header: header, lines: network.pairs.count) { place in
      let pair = network.pairs[place]
      var fields = [pair.first, pair.second].map { CSV.field(verification.name(of: $0)) }
      fields += [pair.same ? "1" : "0", hasFolds ? "\(pair.fold)" : "", "\(network.scored[place].score)"]
      // Both read the same images, so their pairs are the same.
      if let rawPixels = results.rawPixels { fields.append("\(rawPixels.scored[place].score)") }
      return fields.joined(separator: ",") + "\n"
    }
  }

  /// Writes every point of the ROC curve that `run` found, from the highest threshold to the lowest, as CSV. Every rank
  /// calls it, rank 0 writes.
  ///
  /// - Throws: `FileError`
  package func writeROC(to path: String) throws {
    try ROCCurve(of: ranked()).write(to: path)
  }

  /// Fails where the threshold could not be kept. One rank calls it before the run.
  ///
  /// - Throws: `FileError`
  package func tryOutThreshold() throws { try AtomicFile.tryOut(VerificationThreshold.path(beside: opened.file)) }

  /// The model that a threshold is kept beside.
  private var opened: EvaluatedModel.Opened {
    guard let opened = model.opened else { preconditionFailure("A threshold of stored embeddings") }
    return opened
  }

  /// The scores that `run` found; every rank calls it, and has a part.
  private func ranked() throws -> RankedScores {
    guard let result else { preconditionFailure("Scores are ranked after the run") }
    return try RankedScores(result.scored, foldCount: verification.folds.count, communicator)
  }

  /// Keeps the threshold that `run` found best, or the one at the FAR that the options give, beside the model, for
  /// `compare`. Every rank calls it, rank 0 writes.
  ///
  /// - Throws: `FileError`; `EvaluationError` where unreadable images leave too few pairs for this FAR.
  package func keepThreshold() throws {
    guard let results else { preconditionFailure("A threshold is kept after the run") }
    let data = options.pairs ?? options.data
    guard let far = options.thresholdAt else {
      guard communicator.rank == 0 else { return }
      return try results.network.report.threshold(data: data, flip: options.flip, of: opened.network)
        .write(beside: opened.file)
    }
    let ranked = try ranked()
    try Self.checkThreshold(at: far, differentCount: ranked.differentCount)
    let cut = try ROCCurve(of: ranked).cut(
      acceptingAtMost: AcceptRate.acceptable(at: far, differentCount: ranked.differentCount))
    guard communicator.rank == 0 else { return }
    let point = OperatingPoint(cut, of: ranked)
    try VerificationThreshold(
      threshold: point.threshold, at: (far, point.recall), accuracy: point.accuracy,
      pairs: ranked.sameCount + ranked.differentCount, data: data, flip: options.flip, of: opened.network
    ).write(beside: opened.file)
  }
}
