import Files
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
///     scale                       one number of each rank, the sum of its rows' norms, to all
///
/// All sums are made in the order of the ranks, so that the bits depend neither on the MPI library nor on the network.
/// dW stays on its rank, so no traffic depends on N; it exists as a whole only where it is accumulated or clipped. With
/// `StepSettings.sampling` a step computes some of the classes only. Apart from the gathering, the mathematics are those of
/// the replicated classifier over a range of the classes.
package final class ShardedClassifier: Classifier {
  package let head: LargeMarginCosineLoss
  package var replicas: [ParameterStore] { [] }
  package var bytes: Int {
    head.bytes + embeddings.bytes + gradients.bytes + sums.bytes + labels.count * MemoryLayout<Int32>.stride
  }

  let communicator: Communicator
  private let accumulates: Bool
  private let holdsGradient: Bool
  private let sampling: ClassSampling?
  private var step = 0
  private let messages: StepMessages
  private lazy var reductions = SoftmaxReductions(
    // A maximum does not depend on the order.
    maximum: { [unowned self] in
      expect($0.count, .logitMaxima)
      try communicator.allReduce($0, .max)
    },
    sum: { [unowned self] in
      expect($0.count, .softmaxSums)
      try sums.sum($0)
    })
  private let sums: OrderedSums
  /// (M, K) of all ranks, by rank; in the backward pass the ranks' parts of this rank's de.
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
    classCount: Int, width: Int, capacity: Int, accumulates: Bool, settings: StepSettings, messages: StepMessages,
    communicator: Communicator
  ) throws {
    guard classCount >= communicator.size else {
      throw ShardingError.fewerClassesThanRanks(classes: classCount, ranks: communicator.size)
    }
    self.communicator = communicator
    self.messages = messages
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
    head.classWeight.store.makeStates(settings.optimizer.stateNames)
    embeddings = AlignedMemory(count: all * width)
    gradients = AlignedMemory(count: all * width)
    sums = OrderedSums(communicator, capacity: messages.count(.softmaxSums, samples: all))
    labels = Array(repeating: 0, count: all)
  }

  package func synchronize() {
    classWeight.materialize()
    classWeight.valueChanged()
  }

  package func resume(scale: Double) { classWeight.restore(scale: scale) }

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
    let (blocks, width) = (rounds[round], classWeight.width)
    let all = UnsafeMutableBufferPointer(rebasing: embeddings.elements[0..<elements(.embeddings)])
    try communicator.allGather(
      UnsafeBufferPointer(start: mine, count: mineLabels.count * width), into: all,
      counts: blocks.counts.map { $0 * width })
    return try labels.withUnsafeMutableBufferPointer { labels in
      let labels = UnsafeMutableBufferPointer(rebasing: labels[0..<elements(.labels)])
      try communicator.allGather(mineLabels, into: labels, counts: blocks.counts)
      if let sampling { classWeight.select(sampling.rows(of: classWeight.classes, step: step, labels: labels)) }
      do {
        let loss = try head.forward(
          embeddings.elements.baseAddress!, labels: .init(labels), count: count, reductions: reductions)
        // Every rank has the loss of all samples; it counts once.
        return communicator.rank == 0 ? loss : 0
      } catch let error as HeadError {
        throw try atItsOwner(error)
      }
    }
  }

  package func backward(into gradient: UnsafeMutablePointer<Float>?, isLast: Bool, rule: UpdateRule) throws {
    let blocks = rounds[round]
    let parts = gradient.map { _ in gradients.elements.baseAddress! }
    if holdsGradient {
      head.backward(into: parts)
    } else {
      head.backward(into: parts, updatingWith: rule)
    }
    defer { round += 1 }
    guard let gradient, let parts else { return }
    expect(blocks.total * classWeight.width, .embeddingGradients)
    // The loss has packed the embeddings: their memory is free until the next round.
    try sums.scatter(parts, blocks, width: classWeight.width, staging: embeddings.elements.baseAddress!, into: gradient)
  }

  package func squaredGradientNorm() throws -> Double {
    try communicator.orderedSum(GradientClipping.squaredNorm(of: classWeight.store))
  }

  package func update(with rule: UpdateRule) {
    if holdsGradient { classWeight.update(0..<classWeight.rowCount, with: rule, clearingGradient: true) }
  }

  /// Row factors stay with their rows: each rank sends one number, the sum of its norms, to all.
  package func renormalize(to norm: Double?) throws {
    try classWeight.renormalize(
      to: norm ?? communicator.orderedSum(classWeight.rowNormSum()) / Double(classWeight.classCount))
  }

  /// Elements of a message of this round.
  private func elements(_ name: StepMessages.Name) -> Int { messages.count(name, samples: rounds[round].total) }

  private func expect(_ count: Int, _ name: StepMessages.Name) {
    precondition(count == elements(name), "\(name.rawValue): \(count) elements, not \(elements(name))")
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
