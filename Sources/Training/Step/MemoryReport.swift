package import Distributed
import Files
package import MPI
package import NeuralNetwork

/// The memory of a rank while it trains, part by part and by formula, for the start of a run and for plans. Nothing is
/// allocated.
package struct MemoryReport: Codable, Equatable, Sendable {
  package struct Part: Codable, Equatable, Sendable {
    package let name: String
    package let bytes: Int
  }

  /// What memory depends on besides the network.
  package struct Settings: Sendable {
    package var classifier = ClassifierKind.replicated
    /// Sharded only.
    package var sampling: ClassSampling?
    package var classCount: Int
    package var ranks = 1
    package var threads = 1
    /// The largest micro-batch of a rank.
    package var batch: Int
    package var accumulates = false
    package var clips = false
    package var bucketBytes = 4 << 20
    /// Batches that the loader holds, of `loadedBatch` images of `imageSide` pixels.
    package var loadedBatches = 3
    package var loadedBatch: Int
    package var imageSide: Int
    /// Whether this rank holds the copy from which checkpoints are written.
    package var copiesCheckpoints = true

    package init(classCount: Int, batch: Int, imageSide: Int) {
      (self.classCount, self.batch, self.imageSide) = (classCount, batch, imageSide)
      loadedBatch = batch
    }
  }

  package let parts: [Part]
  package var totalBytes: Int { parts.reduce(0) { $0 + $1.bytes } }

  package init(_ network: NetworkFootprint, _ settings: Settings) {
    let floats = MemoryLayout<Float>.stride
    let (classes, width, ranks) = (settings.classCount, network.embeddingWidth, settings.ranks)
    // Rank 0's share is the largest.
    let rows = settings.classifier == .replicated ? classes : (classes + ranks - 1) / ranks
    var parts = [
      Part(name: "network, gradients and optimizer state", bytes: network.parameterBytes + network.statisticsBytes),
      Part(name: "activations", bytes: network.activationBytes),
      Part(name: "class weight, optimizer state and logits", bytes: Self.classifier(network, settings, rows: rows)),
    ]
    if let work = network.matrixWork {
      parts.append(Part(name: "matrices of the update", bytes: work.bytes(ranks: ranks)))
    }
    if ranks > 1 {
      // Four buckets under way, each with a place for what the other ranks send.
      parts.append(Part(name: "buckets under way", bytes: 4 * settings.bucketBytes))
    }
    parts.append(
      Part(
        name: "images",
        bytes: settings.loadedBatches * settings.loadedBatch * 3 * settings.imageSide * settings.imageSide * floats))
    if settings.copiesCheckpoints {
      let ownBytes = network.parameterBytes - floats * network.gradientCount + network.statisticsBytes
      parts.append(
        Part(
          name: "copy for checkpoints" + (settings.classifier == .replicated ? ", on rank 0" : ""),
          bytes: ownBytes + (1 + network.states) * rows * width * floats))
    }
    self.parts = parts
  }

  private static func classifier(_ network: NetworkFootprint, _ settings: Settings, rows: Int) -> Int {
    let (width, states) = (network.embeddingWidth, network.states)
    let several = settings.accumulates || settings.clips
    switch settings.classifier {
    case .replicated:
      return LargeMarginCosineLoss.bytes(
        rows: rows, width: width, capacity: settings.batch, threads: settings.threads,
        holdsGradient: settings.ranks > 1 || several, states: states)
    case .sharded:
      let samples = settings.batch * settings.ranks
      // The loss over a rank's rows, and all ranks' embeddings, their gradients and labels.
      return LargeMarginCosineLoss.bytes(
        rows: rows, width: width, capacity: samples, threads: settings.threads, holdsGradient: several,
        states: states, sampledRows: settings.sampling?.capacity(of: rows, samples: samples))
        + (2 * samples * width + samples) * MemoryLayout<Float>.stride
        + OrderedSums.bytes(capacity: 2 * samples, ranks: settings.ranks)
    }
  }
}

extension MemoryReport {
  /// Of a rank of a run that is about to start.
  ///
  /// `frozen`: names of parameters that are not trained. `capacity`: the most images of a micro-batch.
  init(_ options: TrainingOptions, frozen: Set<String>, capacity: Int, ranks: Int, _ data: TrainingData) {
    let step = options.stepSettings
    let network = NetworkFootprint(
      options.network, embeddingWidth: options.embedding, inputSide: options.inputSize, dropout: options.dropout,
      recomputes: options.recompute, frozen: frozen, optimizer: step.optimizer, batch: capacity,
      threads: options.threads)
    var settings = Settings(
      classCount: data.training.classNames.count, batch: capacity, imageSide: options.inputSize)
    settings.classifier = step.classifier
    settings.ranks = ranks
    settings.threads = options.threads
    settings.accumulates = options.gradientAccumulation > 1
    settings.clips = options.gradientClipping != nil
    settings.sampling = step.sampling
    settings.bucketBytes = step.bucketBytes
    settings.loadedBatch = data.order.maximumShard
    self.init(network, settings)
  }

  /// - Throws: `MemoryNeed` where this host has not the memory. Every rank calls it.
  package func check(of work: String, remedy: String, _ communicator: Communicator) throws {
    try MemoryNeed.check(totalBytes, of: work, remedy: remedy, ranks: communicator.placement().localSize)
  }
}
