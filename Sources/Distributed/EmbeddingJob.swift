package import Datasets
import Files
import Foundation
package import Inference
package import MPI
import Weights

/// The embeddings of many images as a file, on all ranks, part by part: after an interruption the same command goes on.
///
/// The rows are the same bytes on any number of ranks, interrupted or not.
package final class EmbeddingJob {
  /// The result.
  package struct Summary: Equatable, Sendable {
    package let files: [String]
    package let rows: Int
    package let badImages: [BadImage]
  }

  private let options: EmbeddingOptions
  private let format: EmbeddingFormat
  private let named: NamedImages
  private var images: any ImageSource { named.source }
  package var notes: [String] { images.notes }
  /// Bytes of each image's file.
  private let sizes: [Int]
  private let embedder: Embedder
  private let parts: EmbeddingParts
  private let communicator: Communicator

  /// Opens the model and lists the images; every rank calls it.
  package init(_ options: EmbeddingOptions, _ communicator: Communicator) throws {
    self.options = options
    self.communicator = communicator
    format = try EmbeddingFormat(path: options.output)
    if communicator.rank == 0 {
      try OutputFiles.tryOut(
        [options.output, format.namesPath(for: options.output)], inputs: [options.data, options.model])
    }
    let network = try ModelFile.open(options.model, assuming: options.assumedModel).network
    named = try NamedImages(path: options.data)
    embedder = Embedder(network, batchSize: options.batchSize, workers: options.workers)
    let images = named.source
    let inventory = try images.inventory()
    sizes = inventory.sizes
    let key = [
      ("weights of \(options.model)", network.weightsDigest), ("images in \(options.data)", inventory.fingerprint),
      ("options", "\(options.flip.rawValue) \(options.normalize) \(options.batchSize) \(options.partSize)"),
    ]
    try RankAgreement.check(key, communicator)
    parts = EmbeddingParts(output: options.output, job: Digest(ofNames: key.map { Name($0.1) }))
    try DividedImages.check(absent: inventory.absent, limit: badImageLimit, images)
  }

  /// Images of a part: whole batches, so that an image has the same neighbours whatever the parts.
  private var partSize: Int { max(options.partSize / options.batchSize, 1) * options.batchSize }
  private var width: Int { options.flip.width(embedder.network.embeddingWidth) }
  private var badImageLimit: Int { BadImage.limit(options.maximumBadImages, of: images.count) }
  private var partCount: Int { (images.count + partSize - 1) / partSize }

  /// Embeds what is not done yet and writes the file. On rank 0 `progress` gets the images done and their total.
  ///
  /// - Throws: `EvaluationError`, the same on every rank, where too many images cannot be read or an embedding has no
  ///   direction to normalize; `FileError`.
  package func run(_ progress: (_ done: Int, _ all: Int) -> Void = { _, _ in }) throws -> Summary? {
    let isRoot = communicator.rank == 0
    if isRoot { try parts.prepare() }
    let done = try communicator.broadcast(bytes: isRoot ? (0..<partCount).map { parts.contains($0) ? 1 : 0 } : [])
    let limit = badImageLimit
    var badCount = 0
    for part in 0..<partCount {
      let samples = (part * partSize)..<min((part + 1) * partSize, images.count)
      if done[part] == 1 {
        let known = isRoot ? try parts.samples(part).badImages.count : 0
        badCount += try communicator.broadcast(known)
      } else {
        let embeddings = try embedder.embed(
          images, samples: Array(samples), flip: options.flip, badImageLimit: limit - badCount, communicator)
        badCount += embeddings.badImages.count
        let rows = try rows(of: embeddings)
        if isRoot {
          try parts.write(
            rows, width: width, samples: embeddings.samples, badImages: embeddings.badImages, part: part)
        }
      }
      if isRoot { progress(samples.upperBound, images.count) }
    }
    let summary = isRoot ? try join() : nil
    try communicator.barrier()
    return summary
  }

  private func rows(of embeddings: Embeddings) throws(EvaluationError) -> [Float] {
    var rows: [Float] = []
    rows.reserveCapacity(embeddings.values.count)
    for row in 0..<embeddings.count {
      let vector = options.normalize ? try embeddings.unitVector(row, of: images) : embeddings.vector(row)
      guard vector.allSatisfy(\.isFinite) else {
        let name = images.identifier(of: embeddings.samples[row])
        throw EvaluationError("The embedding of '\(name.printableName)' holds a value that is not finite")
      }
      rows += vector
    }
    return rows
  }

  /// The parts as one file.
  private func join() throws -> Summary {
    var rows: [Int] = []
    var badImages: [BadImage] = []
    for part in 0..<partCount {
      let (samples, bad) = try parts.samples(part)
      rows += samples
      badImages += bad
    }
    let files = try World.during("writing the embeddings") {
      try format.write(
        names: rows.map(named.name), people: named.isLabelled ? rows.map(named.person) : nil,
        sizes: rows.map { sizes[$0] }, width: width,
        origin: EmbeddingOrigin(
          flip: options.flip, isNormalized: options.normalize, weights: embedder.network.weightsDigest),
        to: options.output, parts: 0..<partCount, part: parts.rows)
    }
    try parts.remove()
    return Summary(files: files, rows: rows.count, badImages: badImages)
  }
}
