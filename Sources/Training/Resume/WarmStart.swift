package import Datasets
import Distributed
import Files
import Inference
import MPI
import NeuralNetwork
import Weights

/// A run's start from weights that exist: a backbone and, where the file has one, the class weight, by people's names.
///
/// W (N, K) class weight   s the norm of all its rows   e (K) the loaded network's embedding of an image
///
///     old row    w          to the bit as it was, where the old rows share one norm, which is then s
///     new row    s u / |u|  u = sum of e / |e| over the person's images; or a random direction
///
/// Rows whose norms differ (weights of another program) are projected to their mean norm, as any step would.
/// Every rank reads the file, as it reads the data. Momenta start at zero.
package struct WarmStart {
  private let options: TrainingOptions
  private let step: TrainingStep
  private let source: any ImageSource
  private let file: SafetensorsFile
  private let report: WeightReport
  private var classWeight: ClassWeight { step.classWeight }

  /// Initializes all weights by the seed and puts the file's over them; nil where the run starts from nothing.
  ///
  /// Every rank calls it.
  /// - Throws: what is wrong with the file, `WeightError`, `RankAgreement.Failure`; `AdaptationError` for frozen parameters that
  ///   the file lacks
  package init?(_ options: TrainingOptions, _ step: TrainingStep, _ source: any ImageSource) throws {
    guard let path = options.weights else { return nil }
    (self.options, self.step, self.source) = (options, step, source)
    file = try WeightSource.open(path)
    try Self.check(file, options)
    step.initialize(seed: options.seed)
    report = try WeightLoader(file).load(
      step.network, classWeight: step.classWeight.parameter,
      classNames: Array(source.classNames[step.classWeight.classes]), allowMissing: options.allowMissing)
    try Self.check(report, options)
    step.classWeight.valueChanged()
    try RankAgreement.check([("weights", step.network.weightsDigest)], step.communicator)
  }

  /// A file of another whole network can be refused in words, not by a list of tensors.
  private static func check(_ file: SafetensorsFile, _ options: TrainingOptions) throws {
    guard !options.allowMissing, let theirs = try? ModelFile.description(of: file) else { return }
    guard
      theirs.network == options.network.rawValue && theirs.embeddingWidth == options.embedding
        && theirs.inputSide == options.inputSize
    else { throw WeightError.otherNetwork(path: file.path, theirs) }
  }

  /// A random parameter that stays as it is would spoil what is trained behind it.
  private static func check(_ report: WeightReport, _ options: TrainingOptions) throws {
    let frozen = try Adaptation(options.network, freeze: options.freeze).frozen
    guard let name = (report.missing + report.mismatched.map(\.name)).first(where: frozen.contains) else { return }
    throw AdaptationError(
      "--freeze names \(name), which the weights have not, or in another shape: a random one that stays as it is would spoil "
        + "what is trained behind it. Leave it out of --freeze.")
  }

  /// Fills the new rows and makes the ranks agree; returns lines for a person. Every rank calls it.
  package func finish() throws -> [String] {
    let new = try newPeople()
    let old = try oldNorms()
    let norm = options.classWeightNorm ?? old?.mean ?? 1
    // The loaded network must be everybody's before it embeds.
    try step.resume(scale: norm)
    for row in report.newRows { scaleRow(row, to: norm) }
    let images = options.newRows == .mean && options.labels ? try fill(new, norm) : 0
    if let old, old.isShared, options.classWeightNorm == nil {
      try step.resume(scale: norm)
    } else {
      try step.synchronize(classWeightNorm: norm)
    }
    return lines(new: new.count, images: images)
  }

  private func lines(new: Int, images: Int) -> [String] {
    let counts = report.lines.filter { !$0.hasSuffix("new rows of the class weight") }
    var lines = ["weights   \(file.path): " + counts.joined(separator: "; ")]
    if new > 0 {
      lines.append(
        "          \(new) new rows of the class weight, "
          + (images > 0 ? "from the embeddings of \(images) images" : "random"))
    }
    return lines
  }

  /// Labels of the people that the file has no row for, ascending; the same on every rank.
  private func newPeople() throws -> [Int] {
    let mine = report.newRows.map { $0 + classWeight.classes.lowerBound }
    let counts = try step.communicator.allGather(mine.count)
    return Set(try step.communicator.allGather(mine, counts: counts)).sorted()
  }

  /// The norms of the rows that came from the file, over all ranks; nil where none did.
  private func oldNorms() throws -> Norms? {
    let new = Set(report.newRows)
    var norms = Norms()
    for row in 0..<classWeight.rowCount where !new.contains(row) { norms.add(Self.norm(values(row))) }
    // Replicated rows are the same everywhere: one rank's figures do not depend on the number of ranks.
    if classWeight.rowCount < classWeight.classCount { norms = try norms.joined(step.communicator) }
    return norms.count > 0 ? norms : nil
  }

  private func values(_ row: Int) -> UnsafeMutableBufferPointer<Float> {
    .init(rebasing: classWeight.value[(row * classWeight.width)..<((row + 1) * classWeight.width)])
  }

  private func scaleRow(_ row: Int, to norm: Double) {
    let row = values(row)
    let factor = norm / Self.norm(row)
    for k in row.indices { row[k] = Float(Double(row[k]) * factor) }
  }

  private static func norm(_ values: some Sequence<Float>) -> Double {
    (values.reduce(0.0) { $0 + Double($1) * Double($1) } + L2Normalize.epsilon).squareRoot()
  }

  /// Images whose embeddings every rank holds at a time, about: 32 MB of them at K = 512.
  private static let imagesAtOnce = 16_384

  /// Gives the rows of `people` the directions of their images; returns how many images were embedded.
  ///
  /// Images are divided among the ranks; each rank fills the rows that it holds. A person whose images all cannot be
  /// read, or whose embeddings cancel out, keeps the random row.
  private func fill(_ people: [Int], _ norm: Double) throws -> Int {
    guard !people.isEmpty else { return 0 }
    let new = Set(people)
    let images = (0..<source.count).map { (label: source.label(of: $0), sample: $0) }.filter { new.contains($0.label) }
      .sorted { ($0.label, $0.sample) < ($1.label, $1.sample) }
    let embedder = Embedder(step.network, batchSize: options.batchSize, workers: options.workers)
    let limit = BadImage.limit(options.maxBadImages, of: source.count)
    var start = 0
    while start < images.count {
      var end = min(start + Self.imagesAtOnce, images.count)
      // Never part of a person's images.
      while end < images.count && images[end].label == images[end - 1].label { end += 1 }
      let embeddings = try embedder.embed(
        source, samples: images[start..<end].map(\.sample), flip: .none, badImageLimit: limit, step.communicator)
      try fillRows(from: embeddings, norm)
      start = end
    }
    return images.count
  }

  private func fillRows(from embeddings: Embeddings, _ norm: Double) throws {
    let width = embeddings.width
    let byPerson = Dictionary(grouping: embeddings.samples.indices) { source.label(of: embeddings.samples[$0]) }
    for (label, rows) in byPerson where classWeight.classes.contains(label) {
      var sum = [Double](repeating: 0, count: width)
      for row in rows {
        let embedding = embeddings.values[(row * width)..<((row + 1) * width)]
        let length = Self.norm(embedding)
        guard length.isFinite else {
          throw EvaluationError(
            "The embedding of '\(source.identifier(of: embeddings.samples[row]).printableName)' holds a value that is not finite: "
              + "the weights \(file.path) are of no use here")
        }
        for (k, value) in embedding.enumerated() { sum[k] += Double(value) / length }
      }
      let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard length > 1e-6 else { continue }
      let target = values(label - classWeight.classes.lowerBound)
      for k in 0..<width { target[k] = Float(sum[k] * norm / length) }
    }
  }
}

/// How the class weight's rows of new people begin.
public enum NewRows: String, Codable, CaseIterable, Sendable {
  /// With the direction in which the loaded network puts their images.
  case mean
  /// As in a run from nothing, by the seed.
  case random
}

/// How many norms there are, their mean, and whether all are equal.
struct Norms {
  private(set) var count = 0
  private var sum = 0.0
  private var least = Double.infinity
  private var greatest = 0.0

  var mean: Double { sum / Double(count) }

  /// A projection gives rows one norm up to the rounding of its Floats, some 1e-7; a step's update moves them further.
  var isShared: Bool { greatest - least <= 1e-5 * mean }

  mutating func add(_ norm: Double) {
    count += 1
    sum += norm
    least = min(least, norm)
    greatest = max(greatest, norm)
  }

  /// Those of all ranks together; every rank calls it.
  func joined(_ communicator: Communicator) throws -> Norms {
    var all = self
    all.count = try communicator.allReduce(count)
    all.sum = try communicator.orderedSum(sum)
    all.least = try communicator.allReduce(least, .min)
    all.greatest = try communicator.allReduce(greatest, .max)
    return all
  }
}
