package import Datasets
package import Inference
package import MPI

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
  /// By sample numbers of the source, or by places in `templates`.
  package let pairs: [FacePair]
  package let selection: Selection
  /// The folds that a list or a .bin prescribes.
  package let foldCount: Int
  /// The images that the pairs name, ascending: no others are read.
  package let samples: [Int]

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
  /// - Parameter maximumBadImages: fraction of the images that may be absent or unreadable.
  /// - Throws: `DataError` where more are absent, `EvaluationError` where all pairs are of one kind.
  package init(_ list: PairList, maximumBadImages: Double = 0) throws {
    let limit = BadImage.limit(maximumBadImages, of: list.images.count)
    if list.absent.count > limit { throw list.absenceError(limit: limit) }
    try self.init(
      ImageList(list.images, root: list.root, notes: list.notes), list.pairs, .list(path: list.path), of: list.path,
      foldCount: list.foldCount)
  }

  /// The pairs of a .bin.
  ///
  /// - Throws: `EvaluationError` where all of them are of one kind.
  package init(_ bin: PairBin) throws {
    try self.init(bin, bin.pairs, .list(path: bin.location), of: bin.location, foldCount: bin.foldCount)
  }

  /// Pairs of templates.
  ///
  /// - Throws: `EvaluationError` where all of them are of one kind.
  package init(_ list: TemplateList, pooling: TemplatePooling = .init()) throws {
    guard let pairsPath = list.pairsPath else { preconditionFailure("\(list.path) without pairs") }
    try self.init(
      ImageList(list.images, root: list.root, notes: list.notes), list.pairs,
      .templates(path: list.path, pairs: pairsPath), of: pairsPath, templates: list.templates, pooling: pooling)
  }

  /// `path` is where the pairs stand, for the message.
  private init(
    _ source: any ImageSource, _ pairs: [FacePair], _ selection: Selection, of path: String, foldCount: Int = 0,
    templates: [FaceTemplate]? = nil, pooling: TemplatePooling = .init()
  ) throws(EvaluationError) {
    let sameCount = pairs.count { $0.same }
    guard sameCount > 0, sameCount < pairs.count else {
      throw EvaluationError(
        "\(path.printableName): verification needs pairs of the same person and of different people, but there are "
          + "\(sameCount) and \(pairs.count - sameCount)")
    }
    (self.source, self.pairs, self.selection) = (source, pairs, selection)
    (self.foldCount, self.templates, self.pooling) = (foldCount, templates, pooling)
    let named = Set(pairs.lazy.flatMap { [$0.first, $0.second] })
    samples = templates.map { all in Set(named.lazy.flatMap { all[$0].media.joined() }).sorted() } ?? named.sorted()
  }

  /// What a pair's number stands for: an image, or a template.
  package func name(of place: Int) -> String { templates?[place].id ?? source.identifier(of: place) }

  /// Evaluates a network. Every rank calls it with the same values and gets the same.
  ///
  /// - Parameters:
  ///   - flip: what becomes of an image's embedding and its mirror image's.
  ///   - badImageLimit: images that may be unreadable; their pairs are left out.
  /// - Throws: `EvaluationError`, the same on every rank: too many bad images, an embedding that is zero or not finite.
  package func run(
    _ embedder: Embedder, flip: FlipTest = .sum, badImageLimit: Int = 0, _ communicator: Communicator
  ) throws -> VerificationResult {
    let embeddings = try embedder.embed(
      source, samples: samples, flip: flip, badImageLimit: badImageLimit, communicator)
    return try VerificationResult(of: embeddings, self)
  }

  /// Evaluates the pixels themselves, as `run` does a network.
  package func runRawPixels(
    flip: FlipTest = .sum, badImageLimit: Int = 0, workers: Int = 1, _ communicator: Communicator
  ) throws -> VerificationResult {
    let embeddings = try RawPixels.embed(
      source, samples: samples, flip: flip, badImageLimit: badImageLimit, workers: workers, communicator)
    return try VerificationResult(of: embeddings, self)
  }
}
