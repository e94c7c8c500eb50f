package import Datasets
import Distributed
import Files
import Inference
package import MPI
import Weights

/// The search of a set of people for what is wrong in it, by the embeddings of a network.
///
/// Ranks share the images that are embedded, and the pictures that are compared; what follows from the embeddings is
/// found by rank 0 on its threads.
package final class DatasetCleaning {
  package let source: any ImageSource
  package let validation: (any ImageSource)?
  private let options: CleaningOptions
  private let communicator: Communicator
  private let embedder: Embedder?
  /// What was taken for something that its user may not have meant.
  package var notes: [String] { source.notes + (validation?.notes ?? []) }

  /// What `run` found: on rank 0.
  package struct Outcome: Sendable {
    package let report: CleaningReport
    package let findings: [Finding]

    /// As a table.
    package func table(of source: any ImageSource) -> CorrectionTable {
      CorrectionTable(findings.flatMap { $0.lines(of: source) })
    }
  }

  /// Opens the model and the sets; every rank calls it.
  ///
  /// - Throws: what is wrong with a file, or a `RankAgreement.Failure` where the ranks see different models or images.
  package init(_ options: CleaningOptions, _ communicator: Communicator) throws {
    precondition((options.model == nil) != (options.embeddings == nil), "Either a model or embeddings")
    precondition(options.embeddings == nil || (options.validation == nil) == (options.validationEmbeddings == nil))
    self.options = options
    self.communicator = communicator
    source = try ImageSet.open(options.data)
    validation = try options.validation.map(ImageSet.open)
    let network = try options.model.map { try ModelFile.open($0, assuming: options.assumedModel).network }
    embedder = network.map { Embedder($0, batchSize: options.batchSize, workers: options.workers) }
    let sets = [source, validation].compactMap(\.self)
    let inventories = try sets.map { try $0.inventory() }
    try RankAgreement.check(
      (network.map { [("weights of \(options.model ?? "")", $0.weightsDigest)] } ?? [])
        + zip(sets, inventories).map { ("images in \($0.location)", $1.fingerprint) }, communicator)
    for (set, inventory) in zip(sets, inventories) {
      try DividedImages.check(
        absent: inventory.absent, limit: BadImage.limit(options.maximumBadImages, of: set.count), set)
    }
  }

  /// Every rank calls it. Nil on all but rank 0.
  ///
  /// - Throws: `EvaluationError` where too many images cannot be read, or a set is too small to choose bounds from.
  package func run() throws -> Outcome? {
    let (set, badImages) = try embed(source, options.embeddings)
    let others = try validation.map { try embed($0, options.validationEmbeddings).set }
    let isRoot = communicator.rank == 0
    let search =
      isRoot ? try World.during("comparing people") { try FaultSearch(set, validation: others, options) } : nil
    let pairs = isRoot ? World.during("comparing people") { PicturePairs(search!).pairs } : []
    // Sample numbers, two a pair, to all ranks.
    var numbers = pairs.flatMap { [set.samples[$0.0], set.samples[$0.1]] }
    if communicator.size > 1 { numbers = try communicator.broadcast(encoding: isRoot ? numbers : nil) }
    let correlations = try PictureCorrelation.of(
      stride(from: 0, to: numbers.count, by: 2).map { (numbers[$0], numbers[$0 + 1]) }, in: source,
      workers: options.workers, communicator)
    var outcome: Outcome?
    if let search {
      let compared = zip(pairs, correlations).map { (rows: $0, correlation: $1) }
      let findings = World.during("comparing people") { FindingList(search, pairs: compared).findings }
      outcome = Outcome(
        report: CleaningReport(
          options: options, source, validation, images: set.table.count, bounds: search.bounds,
          farImages: search.far.count, findings,
          badImages: badImages), findings: findings)
    }
    try communicator.barrier()
    return outcome
  }

  private func embed(
    _ source: any ImageSource, _ file: String?
  ) throws -> (set: EmbeddedSet, badImages: [BadImage]) {
    guard let embedder else {
      let table = try StoredEmbeddings([file!]).table(of: source)
      return (EmbeddedSet(source, table, samples: Array(0..<source.count)), [])
    }
    let embeddings = try embedder.embed(
      source, flip: options.flip, badImageLimit: BadImage.limit(options.maximumBadImages, of: source.count),
      communicator)
    return (
      EmbeddedSet(source, try embeddings.table(of: source), samples: embeddings.samples), embeddings.badImages
    )
  }
}
