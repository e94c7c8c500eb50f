import Datasets
import VectorKernels

/// Samples that go through the network at once: a batch, or a part of it where gradients are accumulated.
package struct MicroBatch {
  /// (M, 3, S, S)
  package let images: UnsafeBufferPointer<Float>
  /// (M)
  package let labels: UnsafeBufferPointer<Int32>
  /// (M) A random key per sample, for dropout; may be empty where the network has none.
  package let keys: [UInt64]
  /// (M, T) A teacher's embeddings of the images, of length 1; nil without a teacher.
  package let teacher: UnsafePointer<Float>?

  package var count: Int { labels.count }

  package init(
    images: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>, keys: [UInt64] = [],
    teacher: UnsafePointer<Float>? = nil
  ) {
    precondition(
      labels.isEmpty || images.count % labels.count == 0, "\(images.count) values for \(labels.count) images")
    self.images = images
    self.labels = labels
    self.keys = keys
    self.teacher = teacher
  }

  /// Divides `count` samples into at most `parts` pieces of even size, none of a single sample: batch normalization
  /// has nothing to compare it with.
  package static func division(of count: Int, parts: Int) -> [Range<Int>] {
    guard count > 0 else { return [] }
    let pieces = max(1, min(parts, count / 2))
    return (0..<pieces).map { (count * $0 / pieces)..<(count * ($0 + 1) / pieces) }
  }
}

extension Batch {
  /// The batch in at most `parts` pieces, over its own memory. `dropoutSeed`: a run's seed; nil where nothing is dropped.
  /// `teacher`: a teacher's embeddings of the batch, and their width.
  func microBatches(
    parts: Int, dropoutSeed seed: UInt64?, teacher: (embeddings: UnsafePointer<Float>, width: Int)? = nil
  ) -> [MicroBatch] {
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
        labels: .init(rebasing: labels[range]), keys: keys ?? [],
        teacher: teacher.map { $0.embeddings + range.lowerBound * $0.width })
    }
  }
}
