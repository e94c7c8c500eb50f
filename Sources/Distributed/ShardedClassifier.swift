package import MPI
package import NeuralNetwork
import VectorKernels

/// The class weight divided among the ranks: each holds N / P rows and computes them with the samples of all ranks.
///
/// P = ranks, M = samples of all ranks in a round, K = embedding width, N = classes.
///
///     e (M, K), labels (M)        gathered from all ranks
///     softmax                     M maxima, then M sums and M target logits, reduced over the ranks
///     de (M, K)                   each rank's part summed, every sample's row to the rank that owns it
///     scale                       the rows' norms summed on rank 0 and their mean shared: one number each way
///
/// dW never leaves its rank: unless it must be accumulated or clipped it never exists whole, and no traffic depends
/// on N. With `StepSettings.sampling` a step knows some of the classes only. All but gathering is the replicated classifier's mathematics over a range of the classes.
package final class ShardedClassifier: Classifier {
  package let head: LargeMarginCosineLoss
  package var replicas: [ParameterStore] { [] }
  package var bytes: Int { head.bytes + embeddings.bytes + gradients.bytes + labels.count * MemoryLayout<Int32>.stride }

  let communicator: Communicator
  private let accumulates: Bool
  private let holdsGradient: Bool
  private let sampling: ClassSampling?
  private var step = 0
  private let reductions: SoftmaxReductions
  /// (M, K) of all ranks, by rank.
  private let embeddings: AlignedMemory
  /// (M, K): this rank's part of de.
  private let gradients: AlignedMemory
  private var labels: [Int32]
  /// Samples of each rank, per round of the step.
  private var rounds: [Blocks] = []
  private var round = 0

  /// The classes of a rank: contiguous ranges whose sizes differ by one at most.
  package static func classes(of rank: Int, among ranks: Int, classCount: Int) -> Range<Int> {
    Share.range(of: classCount, rank, ranks)
  }

  /// - Parameters:
  ///   - capacity: the largest micro-batch of any rank, the same on all.
  ///   - accumulates: a step may have several micro-batches.
  package init(
    classCount: Int, width: Int, capacity: Int, accumulates: Bool, settings: StepSettings, communicator: Communicator
  ) throws {
    guard classCount >= communicator.size else {
      throw ShardingError.fewerClassesThanRanks(classes: classCount, ranks: communicator.size)
    }
    self.communicator = communicator
    self.accumulates = accumulates
    sampling = settings.sampling
    holdsGradient = accumulates || settings.gradientClipping != nil
    if sampling != nil && holdsGradient { throw ShardingError.samplingHoldsNoGradient }
    let all = capacity * communicator.size
    let classes = Self.classes(of: communicator.rank, among: communicator.size, classCount: classCount)
    head = LargeMarginCosineLoss(
      classes: classes, of: classCount, width: width, capacity: all, margin: settings.margin,
      logitScale: settings.logitScale, holdsGradient: holdsGradient,
      sampledRows: sampling?.capacity(of: classes.count, samples: all))
    embeddings = AlignedMemory(count: all * width)
    gradients = AlignedMemory(count: all * width)
    labels = Array(repeating: 0, count: all)
    reductions = SoftmaxReductions(
      maximum: { try communicator.allReduce($0, .max) }, sum: { try communicator.allReduce($0, .sum) })
  }

  package func synchronize() {
    head.materialize()
    head.valueChanged()
  }

  package func resume(scale: Double) { head.restore(scale: scale) }

  /// Shards of a batch may be unequal, and so may the numbers of micro-batches. Ranks with fewer begin with rounds
  /// without samples: all end together, where the gradients of the network start to travel.
  package func begin(step: Int, sampleCounts: [Int]) throws -> Int {
    let least = max(sampleCounts.count, 1)
    let count = accumulates ? try communicator.allReduce(least, .max) : least
    let mine = Array(repeating: 0, count: count - sampleCounts.count) + sampleCounts
    let all = try communicator.allGather(mine, counts: Array(repeating: count, count: communicator.size))
    rounds = (0..<count).map { round in
      Blocks(counts: (0..<communicator.size).map { all[$0 * count + round] })
    }
    round = 0
    self.step = step
    return count
  }

  package func forward(
    _ mine: UnsafePointer<Float>, labels mineLabels: UnsafeBufferPointer<Int32>, count: Int
  ) throws -> Double {
    let (blocks, width) = (rounds[round], head.width)
    let all = UnsafeMutableBufferPointer(rebasing: embeddings.elements[0..<(blocks.total * width)])
    try communicator.allGather(
      UnsafeBufferPointer(start: mine, count: mineLabels.count * width), into: all,
      counts: blocks.counts.map { $0 * width })
    return try labels.withUnsafeMutableBufferPointer { labels in
      let labels = UnsafeMutableBufferPointer(rebasing: labels[0..<blocks.total])
      try communicator.allGather(mineLabels, into: labels, counts: blocks.counts)
      if let sampling { head.select(sampling.rows(of: head.classes, step: step, labels: labels)) }
      do {
        let loss = try head.forward(
          embeddings.elements.baseAddress!, labels: .init(labels), count: count, reductions: reductions)
        // All ranks know the loss of all samples; it is to be added up once.
        return communicator.rank == 0 ? loss : 0
      } catch let error as HeadError {
        throw try atItsOwner(error)
      }
    }
  }

  package func backward(into gradient: UnsafeMutablePointer<Float>, isLast: Bool, rule: UpdateRule) throws {
    let (blocks, width) = (rounds[round], head.width)
    let parts = gradients.elements.baseAddress!
    if holdsGradient {
      head.backward(into: parts)
    } else {
      head.backward(into: parts, updatingWith: rule)
    }
    try communicator.reduceScatter(
      UnsafeBufferPointer(start: parts, count: blocks.total * width),
      into: UnsafeMutableBufferPointer(start: gradient, count: blocks.counts[communicator.rank] * width),
      counts: blocks.counts.map { $0 * width })
    round += 1
  }

  package func squaredGradientNorm() throws -> Double {
    try communicator.allReduce(GradientClipping.squaredNorm(of: head.store))
  }

  package func update(with rule: UpdateRule) {
    if holdsGradient { head.update(0..<head.rowCount, with: rule, clearingGradient: true) }
  }

  /// Row factors stay where their rows are: rank 0 gets one number of each rank, and shares one.
  package func renormalize(to norm: Double?) throws {
    var scale = norm ?? 0
    if norm == nil {
      var sum = head.rowNormSum()
      try withUnsafeMutablePointer(to: &sum) {
        try communicator.reduce(UnsafeMutableBufferPointer(start: $0, count: 1))
      }
      scale = try communicator.broadcast(sum / Double(head.classCount))
    }
    try head.computeRowFactors(scale: scale)
    head.apply(scale: scale)
  }

  /// An error about a sample, counted among this rank's samples.
  ///
  /// All ranks find it at once. The one that has the image names it and ends the job; the others wait for that end.
  private func atItsOwner(_ error: HeadError) throws -> HeadError {
    guard let sample = error.sample else { return error }
    let mine = rounds[round].range(communicator.rank)
    if !mine.contains(sample) { try communicator.barrier() }
    return error.counting(from: mine.lowerBound)
  }
}

/// Classes that cannot be divided, or sampled.
package enum ShardingError: Error, Equatable, CustomStringConvertible {
  case fewerClassesThanRanks(classes: Int, ranks: Int)
  case samplingNeedsSharded
  case samplingHoldsNoGradient
  case tooFewClassesToSample(Int)

  package var description: String {
    switch self {
    case .fewerClassesThanRanks(let classes, let ranks):
      "\(classes) people cannot be divided among \(ranks) ranks: use --classifier replicated, or fewer ranks."
    case .samplingNeedsSharded:
      "--sample-rate works with --classifier sharded only: replicated classes are all computed on every rank."
    case .samplingHoldsNoGradient:
      "--sample-rate goes neither with --gradient-accumulation above 1 nor with --gradient-clipping: each step draws other"
        + " classes and updates them as their gradient arises, so that no gradient is there to add to or to measure."
        + " Take a larger --batch-size, or leave --sample-rate out."
    case .tooFewClassesToSample(let count):
      "--sample-rate with \(count) people: below \(ClassSampling.leastClasses) classes all negatives cost little time, and"
        + " leaving some out costs accuracy. Leave it out, or insist with --force-sample-rate."
    }
  }
}
