import Datasets
import VectorKernels

extension Batch {
  /// The batch in at most `parts` pieces, over its own memory. `dropoutSeed`: a run's seed; nil where nothing is dropped.
  func microBatches(parts: Int, dropoutSeed seed: UInt64?) -> [MicroBatch] {
    let size = 3 * side * side
    return MicroBatch.division(of: count, parts: parts).map { range in
      let keys = seed.map { seed in
        range.map { index in
          var generator = CounterGenerator(seed: seed, purpose: .dropout, epoch, Int(samples[index]))
          return generator.next()
        }
      }
      return MicroBatch(
        images: .init(rebasing: UnsafeBufferPointer(images)[(range.lowerBound * size)..<(range.upperBound * size)]),
        labels: .init(rebasing: labels[range]), keys: keys ?? [])
    }
  }
}
