package import Distributed
import Foundation
package import NeuralNetwork
package import Training

/// Memory and time per step of both classifiers on P ranks, and which one to take.
package struct Plan: Encodable {
  /// One classifier on one number of ranks.
  package struct Row: Encodable, Sendable {
    package let classifier: ClassifierKind
    package let ranks: Int
    package let secondsPerStep: Double
    /// Of all ranks.
    package let imagesPerSecond: Double
    /// The share of the step in which a rank waits for messages.
    package let communicationShare: Double
    package let bytesSentPerStep: Double
    /// Of rank 0, which holds the copy for checkpoints too.
    package let memoryBytes: Int
    package let step: StepModel.Estimate
    package let memory: MemoryReport
  }

  package struct Recommendation: Encodable, Equatable, Sendable {
    package let classifier: ClassifierKind
    package let reason: String
  }

  package let classes: Int
  package let ranks: Int
  package let bucketBytes: Int
  package let gradientType: GradientType
  package let link: LinkModel
  package let compute: ComputeMeasurement
  /// On the ranks that were asked for: replicated and, with more than one rank, sharded.
  package let choices: [Row]
  package let recommendation: Recommendation
  /// On 1, 2, 4 ... 1024 ranks.
  package let table: [Row]

  /// - Parameter memoryLimit: bytes that a rank may take; nil for any number.
  package init(_ model: StepModel, _ network: NetworkFootprint, ranks: Int, memoryLimit: Int? = nil) {
    classes = model.classes
    self.ranks = ranks
    bucketBytes = model.bucketBytes
    gradientType = model.gradientType
    link = model.link
    compute = model.compute
    func rows(_ ranks: Int) -> [Row] {
      ClassifierKind.allCases.filter { $0 == .replicated || (ranks > 1 && ranks <= model.classes) }
        .map { Self.row(model, network, $0, ranks) }
    }
    choices = rows(ranks)
    recommendation = Self.recommend(choices, memoryLimit: memoryLimit)
    table = (0...10).flatMap { rows(1 << $0) }
  }

  private static func row(_ model: StepModel, _ network: NetworkFootprint, _ kind: ClassifierKind, _ ranks: Int) -> Row
  {
    let compute = model.compute
    let step = model.estimate(kind, ranks: ranks)
    var settings = MemoryReport.Settings(
      classCount: model.classes, batch: compute.batchSize, imageSide: compute.inputSide)
    settings.classifier = kind
    settings.ranks = ranks
    settings.threads = compute.threads
    settings.bucketBytes = model.bucketBytes
    let memory = MemoryReport(network, settings)
    return Row(
      classifier: kind, ranks: ranks, secondsPerStep: step.seconds,
      imagesPerSecond: Double(ranks * compute.batchSize) / step.seconds,
      communicationShare: step.communication / step.seconds, bytesSentPerStep: step.bytesSent,
      memoryBytes: memory.totalBytes + compute.programBytes, step: step, memory: memory)
  }

  /// The faster one of those that fit; replicated where sharding gains less than a twentieth.
  static func recommend(_ rows: [Row], memoryLimit: Int?) -> Recommendation {
    let replicated = rows[0]
    guard let sharded = rows.first(where: { $0.classifier == .sharded }) else {
      return Recommendation(
        classifier: .replicated, reason: "There is nothing to divide among so few ranks or classes.")
    }
    let times =
      "\(milliseconds(replicated.secondsPerStep)) ms a step replicated, \(milliseconds(sharded.secondsPerStep)) ms sharded; "
      + "\(gigabytes(replicated.memoryBytes)) and \(gigabytes(sharded.memoryBytes)) GB a rank."
    if let memoryLimit {
      let fits = [replicated, sharded].map { $0.memoryBytes <= memoryLimit }
      let limit = "\(gigabytes(memoryLimit)) GB"
      switch (fits[0], fits[1]) {
      case (true, false): return .init(classifier: .replicated, reason: "Only replicated fits into \(limit): \(times)")
      case (false, true): return .init(classifier: .sharded, reason: "Only sharded fits into \(limit): \(times)")
      case (false, false):
        let smaller = replicated.memoryBytes <= sharded.memoryBytes ? replicated : sharded
        return .init(
          classifier: smaller.classifier,
          reason: "Neither fits into \(limit); this one takes less. Use more ranks on more hosts: \(times)")
      case (true, true): break
      }
    }
    if sharded.secondsPerStep < 0.95 * replicated.secondsPerStep {
      return .init(classifier: .sharded, reason: "It is faster: \(times)")
    }
    return .init(
      classifier: .replicated,
      reason: replicated.secondsPerStep <= sharded.secondsPerStep
        ? "It is faster: \(times)" : "Sharding would gain less than 5 %: \(times)")
  }

  static func milliseconds(_ seconds: Double) -> String { (1e3 * seconds).shown(seconds < 0.1 ? 1 : 0) }
  static func gigabytes(_ bytes: Int) -> String { (Double(bytes) / 1e9).shown(2) }
}
