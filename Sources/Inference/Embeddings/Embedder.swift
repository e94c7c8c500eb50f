package import Datasets
package import Files
package import NeuralNetwork

/// A network that turns images into embeddings: alone, on several ranks, or between the steps of a training run.
///
/// ```swift
/// let embedder = Embedder(network, workers: 2)
/// let embeddings = try embedder.embed(source, group)
/// ```
/// All ranks hold the same weights. The network's evaluation pass is made at the first use; its memory is that of the
/// training passes, so whoever trains reserves it (`Network.reserve(training:evaluation:)`) and calls between steps.
package final class Embedder {
  package let network: Network
  /// Images that go through the network at once. Embeddings do not depend on it: each is its image's alone, to the bit.
  package let batchSize: Int
  /// Threads per rank that read and decode images.
  package let workers: Int

  package init(_ network: Network, batchSize: Int = 32, workers: Int = 1) {
    precondition(batchSize > 0 && workers > 0, "Batches of \(batchSize) read by \(workers) threads")
    self.network = network
    self.batchSize = batchSize
    self.workers = workers
  }

  /// The embeddings of `samples` (distinct; all of the source's unless given), the same bytes on any number of ranks.
  ///
  /// Every rank calls it with the same values and gets all rows. Unless `flip` is none, each image is embedded mirrored too.
  ///
  /// - Throws: `EvaluationError`, the same on every rank, where more than `badImageLimit` images cannot be read; `MemoryNeed`
  ///   where a batch finds no room.
  package func embed(
    _ source: any ImageSource, samples: [Int]? = nil, flip: FlipTest = .sum, badImageLimit: Int = 0,
    _ group: any EmbeddingGroup
  ) throws -> Embeddings {
    try images(source, samples, group)
      .embeddings(width: network.embeddingWidth, flip: flip, badImageLimit: badImageLimit, compute)
  }

  /// The same embeddings ready to be compared, each on one rank alone: for sets that one rank's memory does not hold.
  ///
  /// - Throws: as `embed`, and an `EvaluationError` for an embedding that is zero or not finite.
  package func divide(
    _ source: any ImageSource, samples: [Int]? = nil, flip: FlipTest = .sum, badImageLimit: Int = 0,
    _ group: any EmbeddingGroup
  ) throws -> DividedTable {
    try images(source, samples, group)
      .table(width: network.embeddingWidth, flip: flip, badImageLimit: badImageLimit, compute)
  }

  private func images(
    _ source: any ImageSource, _ samples: [Int]?, _ group: any EmbeddingGroup
  ) throws(MemoryNeed) -> DividedImages {
    try MemoryNeed.check(evaluating: network, batch: batchSize)
    return DividedImages(
      source: source, samples: samples?.sorted() ?? Array(0..<source.count), blockSize: batchSize,
      side: network.inputShape.height, workers: workers, group: group)
  }

  /// x (M, 3, S, S) to rows (M, K), M at most `batchSize`. One pass serves all M: what is left over is computed on zeros.
  private func compute(_ batch: Batch, _ rows: UnsafeMutableBufferPointer<Float>) {
    // Asked for each time: a larger pass elsewhere moves the memory.
    let pass = network.pass(batch: batchSize, .evaluation)
    let input = pass.input.buffer
    let end = input[..<batch.images.count].update(fromContentsOf: batch.images)
    input[end...].update(repeating: 0)
    pass.forward()
    _ = rows.update(fromContentsOf: pass.output.buffer[..<rows.count])
  }
}

extension MemoryNeed {
  /// Of a network that only looks: its weights, and what a pass over `batch` images keeps.
  package static func check(evaluating network: Network, batch: Int) throws(MemoryNeed) {
    try check(
      network.evaluationBytes(batch: batch), of: "Looking at \(batch) images of \(network.name) at once",
      remedy: "--batch-size")
  }
}

/// Who shares the work of embedding images: this process alone, or ranks.
package protocol EmbeddingGroup {
  /// This process's number, from 0 to size - 1.
  var rank: Int { get }
  var size: Int { get }

  /// The values of all in the order of ranks; `counts` of each.
  func gather(_ values: [Float], counts: [Int]) throws -> [Float]
  func gather(_ values: [Double], counts: [Int]) throws -> [Double]

  /// The values of all, by rank.
  func gather<Value: Codable>(encoding own: Value) throws -> [Value]
}

extension EmbeddingGroup {
  /// The lists of all as one, each image once, in the order of the sample numbers.
  func join(_ own: [BadImage]) throws -> [BadImage] {
    var known: [Int: BadImage] = [:]
    for image in try gather(encoding: own).joined() { known[image.sample] = image }
    return known.values.sorted { $0.sample < $1.sample }
  }

  /// Throws on every rank what failed on the first that failed.
  package func agree(_ failure: EvaluationError?) throws {
    let reasons = try gather(encoding: failure.map { [$0.reason] } ?? [])
    if let reason = reasons.joined().first { throw EvaluationError(reason) }
  }
}
