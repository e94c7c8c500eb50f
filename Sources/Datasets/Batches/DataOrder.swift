import Synchronization
import VectorKernels

/// Which samples each rank trains on in each step: a function of (seed, epoch), the same on every rank.
///
/// n = samples, B = batch per rank, P = ranks, G = B P the global batch.
/// An epoch is a permutation of the samples, or n draws that visit people equally often (`BalancedOrder`), cut into pieces of G; a rank's shard is a contiguous part of a piece, so that
/// with the same G the pieces do not depend on P. The last piece, of r = n mod G samples, is trained on too:
/// - r >= 2: as evenly as possible on min(P, r / 2) ranks. Batch normalization needs 2 samples on a rank; where r < 2 P
///   the last ranks get none.
/// - r = 1: the sample joins the step before, which then has G + 1.
package final class DataOrder: Sendable {
  package let sampleCount: Int
  /// B, of one rank.
  package let batchSize: Int
  package let rankCount: Int
  package let seed: UInt64
  package let stepsPerEpoch: Int

  private let balanced: BalancedOrder?
  /// The orders of the last two epochs asked for: around an epoch's end prefetch reads the next one already.
  private let cache = Mutex<[(epoch: Int, order: Order)]>([])

  private struct Order {
    let samples: [Int32]
    /// How often each has been drawn before in the epoch; empty where each comes once.
    let repetitions: [Int32]
  }

  /// - Parameter source: where `sampling` is balanced, the images whose people shall come equally often.
  package convenience init(
    _ source: any ImageSource, sampling: Sampling, batchSize: Int, rankCount: Int, seed: UInt64
  ) {
    self.init(
      sampleCount: source.count, batchSize: batchSize, rankCount: rankCount, seed: seed,
      balanced: sampling == .balanced ? BalancedOrder(source) : nil)
  }

  package init(sampleCount: Int, batchSize: Int, rankCount: Int, seed: UInt64, balanced: BalancedOrder? = nil) {
    precondition(
      sampleCount > 0 && batchSize > 0 && rankCount > 0,
      "\(sampleCount) samples in batches of \(batchSize) on each of \(rankCount) ranks")
    precondition(sampleCount <= Int(Int32.max), "\(sampleCount) samples exceed Int32")
    self.sampleCount = sampleCount
    self.batchSize = batchSize
    self.rankCount = rankCount
    self.seed = seed
    self.balanced = balanced
    let (full, rest) = sampleCount.quotientAndRemainder(dividingBy: batchSize * rankCount)
    stepsPerEpoch = max(1, rest < 2 ? full : full + 1)
  }

  /// G. The last step of an epoch may have fewer, or one more.
  package var globalBatchSize: Int { batchSize * rankCount }

  /// Most samples that any rank ever gets in a step.
  package var maximumShard: Int {
    let last = shardSizes(stepInEpoch: stepsPerEpoch - 1)[0]
    return stepsPerEpoch > 1 ? max(batchSize, last) : last
  }

  /// Samples of all ranks together in a step, counted from 0 over all epochs.
  package func globalCount(step: Int) -> Int { positions(stepInEpoch: position(ofStep: step).stepInEpoch).count }

  /// Epoch and step in it of a step counted from 0 over all epochs.
  package func position(ofStep step: Int) -> (epoch: Int, stepInEpoch: Int) {
    precondition(step >= 0, "Step \(step)")
    let (epoch, stepInEpoch) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
    return (epoch, stepInEpoch)
  }

  /// The inverse of `position(ofStep:)`.
  package func step(epoch: Int, stepInEpoch: Int) -> Int {
    precondition((0..<stepsPerEpoch).contains(stepInEpoch), "Step \(stepInEpoch) of \(stepsPerEpoch) in an epoch")
    return epoch * stepsPerEpoch + stepInEpoch
  }

  /// The samples of one rank in one step of an epoch; may be empty in the last step.
  package func shard(epoch: Int, step stepInEpoch: Int, rank: Int) -> [Int32] {
    Array(permutation(epoch: epoch)[positions(stepInEpoch: stepInEpoch, rank: rank)])
  }

  /// For each sample of a shard, how often it has come before in the epoch; empty where each comes once.
  package func repetitions(epoch: Int, step stepInEpoch: Int, rank: Int) -> [Int32] {
    guard balanced != nil else { return [] }
    return Array(order(epoch: epoch).repetitions[positions(stepInEpoch: stepInEpoch, rank: rank)])
  }

  private func positions(stepInEpoch: Int, rank: Int) -> Range<Int> {
    precondition((0..<rankCount).contains(rank), "Rank \(rank) of \(rankCount)")
    let sizes = shardSizes(stepInEpoch: stepInEpoch)
    let start = positions(stepInEpoch: stepInEpoch).lowerBound + sizes[..<rank].reduce(0, +)
    return start..<(start + sizes[rank])
  }

  /// The samples of all ranks in one step of an epoch.
  package func samples(epoch: Int, step stepInEpoch: Int) -> [Int32] {
    Array(permutation(epoch: epoch)[positions(stepInEpoch: stepInEpoch)])
  }

  /// Samples of each rank in a step of an epoch.
  package func shardSizes(stepInEpoch: Int) -> [Int] {
    let count = positions(stepInEpoch: stepInEpoch).count
    // Full steps: P. A single sample goes to one rank.
    let ranks = count >= globalBatchSize ? rankCount : max(1, min(rankCount, count / 2))
    return (0..<rankCount).map { rank in
      rank < ranks ? count / ranks + (rank < count % ranks ? 1 : 0) : 0
    }
  }

  /// The samples in the order of an epoch: each once, or where people are balanced as often as they are drawn.
  package func permutation(epoch: Int) -> [Int32] { order(epoch: epoch).samples }

  private func order(epoch: Int) -> Order {
    cache.withLock { cache in
      if let known = cache.first(where: { $0.epoch == epoch }) { return known.order }
      let order: Order
      if let draws = balanced?.draws(seed: seed, epoch: epoch) {
        order = Order(samples: draws.map(\.sample), repetitions: draws.map(\.repetition))
      } else {
        var generator = CounterGenerator(seed: seed, purpose: .order, epoch)
        order = Order(samples: generator.permutation(sampleCount), repetitions: [])
      }
      cache.append((epoch, order))
      if cache.count > 2 { cache.removeFirst() }
      return order
    }
  }

  /// A step's place in the epoch's permutation.
  private func positions(stepInEpoch: Int) -> Range<Int> {
    precondition((0..<stepsPerEpoch).contains(stepInEpoch), "Step \(stepInEpoch) of \(stepsPerEpoch) in an epoch")
    let start = stepInEpoch * globalBatchSize
    return start..<(stepInEpoch == stepsPerEpoch - 1 ? sampleCount : start + globalBatchSize)
  }
}
