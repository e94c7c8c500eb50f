package import Datasets
package import Inference
package import MPI
import VectorKernels

/// A task: tell whether two images show the same person, for these pairs of them.
///
/// Made once; run by every rank, with every model that is to be evaluated, also between the steps of a training run.
/// ```swift
/// let verification = try Verification(of: heldOutPeople, seed: 1)
/// let accuracy = try verification.run(embedder, communicator).report.best.accuracy
/// ```
package struct Verification: Sendable {
  /// How the pairs were chosen.
  package enum Selection: Equatable, Sendable {
    case list(path: String)
    case templates(path: String, pairs: String)
    case all
    case sample(seed: UInt64)
  }

  /// Whether the labels of the source's images are people: a list of pairs says nothing of them.
  package var knowsPeople: Bool {
    switch selection {
    case .list, .templates: false
    case .all, .sample: true
    }
  }

  package let source: any ImageSource
  /// What the pairs are of; nil where they are of single images.
  package let templates: [FaceTemplate]?
  /// How a template's images become one vector.
  package let pooling: TemplatePooling
  /// By sample numbers of the source, or by places in `templates`, each with its fold: all, or this rank's part.
  package let pairs: [FacePair]
  /// Whether each rank has a part of the pairs.
  private let isDivided: Bool
  /// Of all parts.
  package let counts: PairCount
  package let selection: Selection
  /// Those that the list or the .bin prescribes, or ten assigned ones.
  package let folds: CrossValidation.Folds
  /// The images that the pairs name, ascending: no others are read.
  package let samples: [Int]
  /// Templates that the pairs name.
  package let namedTemplates: Int

  /// A folder with no more pairs than this (447 images) is evaluated on all of them.
  package static let defaultMaximumPairs = 100_000

  /// All pairs of the source's images, or a balanced sample of `maximumPairs` where there are more.
  ///
  /// - Throws: `EvaluationError` where there are no two images of one person, or a single person.
  package init(of source: any ImageSource, maximumPairs: Int = defaultMaximumPairs, seed: UInt64) throws {
    let labels = (0..<source.count).map(source.label)
    let existing = PairSelection(labels: labels)
    guard existing.sameCount > 0, existing.differentCount > 0 else {
      throw EvaluationError(
        "\(source.location.printableName): verification needs two people, and two images of one of them, but there are "
          + "\(source.count) images of \(source.classNames.count) people")
    }
    let takesAll = existing.sameCount + existing.differentCount <= maximumPairs
    try self.init(
      source,
      takesAll ? PairSelection.all(labels: labels) : existing.balancedSample(count: maximumPairs, seed: seed),
      takesAll ? .all : .sample(seed: seed), of: source.location)
  }

  /// The pairs of a list.
  ///
  /// - Parameters:
  ///   - maximumBadImages: fraction of the images that may be absent or unreadable.
  ///   - communicator: where each rank has read a part of the list (`PairList.read`); nil where it was read whole.
  /// - Throws: `DataError` where more are absent, `EvaluationError` where all pairs are of one kind.
  package init(_ list: PairList, maximumBadImages: Double = 0, _ communicator: Communicator? = nil) throws {
    let limit = BadImage.limit(maximumBadImages, of: list.images.count)
    if list.absent.count > limit { throw list.absenceError(limit: limit) }
    try self.init(
      ImageList(list.images, root: list.root, notes: list.notes), list.pairs, .list(path: list.path), of: list.path,
      foldCount: list.foldCount, communicator)
  }

  /// The pairs of a .bin.
  ///
  /// - Throws: `EvaluationError` where all of them are of one kind.
  package init(_ bin: PairBin) throws {
    try self.init(bin, bin.pairs, .list(path: bin.location), of: bin.location, foldCount: bin.foldCount)
  }

  /// Pairs of templates.
  ///
  /// - Parameter communicator: where each rank has read a part of the pairs; nil where they were read whole.
  /// - Throws: `EvaluationError` where all of them are of one kind.
  package init(
    _ list: TemplateList, pooling: TemplatePooling = .init(), _ communicator: Communicator? = nil
  ) throws {
    guard let pairsPath = list.pairsPath else { preconditionFailure("\(list.path) without pairs") }
    try self.init(
      ImageList(list.images, root: list.root, notes: list.notes), list.pairs,
      .templates(path: list.path, pairs: pairsPath), of: pairsPath, templates: list.templates, pooling: pooling,
      communicator)
  }

  /// `path` is where the pairs stand, for the message; `communicator` is nil where every rank has all pairs.
  private init(
    _ source: any ImageSource, _ pairs: [FacePair], _ selection: Selection, of path: String, foldCount: Int = 0,
    templates: [FaceTemplate]? = nil, pooling: TemplatePooling = .init(), _ communicator: Communicator? = nil
  ) throws {
    let parts = try communicator.map { try pairs.counts($0) } ?? [pairs.kinds]
    counts = parts.reduce(into: PairCount()) { $0 += $1 }
    guard counts.same > 0, counts.different > 0 else {
      throw EvaluationError(
        "\(path.printableName): verification needs pairs of the same person and of different people, but there are "
          + "\(counts.same) and \(counts.different)")
    }
    isDivided = communicator != nil
    (self.source, self.selection, self.templates, self.pooling) = (source, selection, templates, pooling)
    var pairs = pairs
    if foldCount > 1 {
      folds = .prescribed(foldCount)
    } else {
      folds = .assigned
      let before = parts.prefix(communicator?.rank ?? 0).reduce(into: PairCount()) { $0 += $1 }
      pairs.assignFolds(FoldAssignment(afterSame: before.same, different: before.different))
    }
    self.pairs = pairs
    // A byte for each image or template: a set of those of many million pairs would be large.
    var isNamed = [UInt8](repeating: 0, count: templates?.count ?? source.count)
    for pair in pairs {
      isNamed[pair.first] = 1
      isNamed[pair.second] = 1
    }
    if let communicator { isNamed = try communicator.allReduce(isNamed, .max) }
    let named = isNamed.indices.filter { isNamed[$0] == 1 }
    samples = templates.map { all in Set(named.lazy.flatMap { all[$0].media.joined() }).sorted() } ?? named
    namedTemplates = templates == nil ? 0 : named.count
  }

  /// The pairs that a rank scores: its part of them, in the order of the list.
  func pairs(_ communicator: Communicator) -> [FacePair] {
    isDivided || communicator.size == 1
      ? pairs : Array(pairs[Share.range(of: pairs.count, communicator.rank, communicator.size)])
  }

  /// What a pair's number stands for: an image, or a template.
  package func name(of place: Int) -> String { templates?[place].id ?? source.identifier(of: place) }

  /// Evaluates embeddings. Every rank calls it with the same values and gets the same report, and the scores of its own part
  /// of the pairs.
  ///
  /// - Parameter badImageLimit: images that may be unreadable; their pairs are left out.
  /// - Throws: `EvaluationError`, the same on every rank: too many bad images, an embedding that is zero or not finite.
  package func run(
    _ supply: EmbeddingSupply, badImageLimit: Int = 0, _ communicator: Communicator
  ) throws -> VerificationResult {
    try VerificationResult(
      of: supply.divide(source, samples: samples, badImageLimit: badImageLimit, communicator), self, communicator)
  }

  /// Evaluates the pixels themselves, as `run` does a network.
  package func runRawPixels(
    flip: FlipTest = .sum, badImageLimit: Int = 0, workers: Int = 1, _ communicator: Communicator
  ) throws -> VerificationResult {
    try VerificationResult(
      of: RawPixels.divide(
        source, samples: samples, flip: flip, badImageLimit: badImageLimit, workers: workers, communicator), self,
      communicator)
  }
}
