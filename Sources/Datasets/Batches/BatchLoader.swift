/// The training data of one rank: batches in step order, read, decoded and augmented ahead by worker threads.
///
/// ```swift
/// let loader = BatchLoader(source, order: order, rank: rank, side: 112, augmentation: .standard, workers: 2)
/// loader.start(atStep: 0)
/// while ... {
///   let batch = try loader.next()   // the memory of the one before is filled again from here on
/// }
/// loader.stop()
/// ```
/// A batch is a function of (seed, step, rank); the number of workers changes nothing. One thread uses the loader.
///
/// An image that cannot be read is replaced by the next readable one of the same person and listed in `badImages`.
package final class BatchLoader {
  package let order: DataOrder
  package let rank: Int
  package let side: Int
  package let workers: Int

  /// Every bad image among the batches returned so far, each once, in step order.
  ///
  /// Prefetched batches do not count yet, so that the list depends on the step only. Before comparing with a limit join
  /// the ranks' lists by `sample`: two ranks may have met the same image.
  package private(set) var badImages: [BadImage] = []
  /// How long `next()` has waited in all: what decoding did not hide behind training.
  package private(set) var waited: Duration = .zero

  private let pipeline: ImagePipeline
  private var knownBad: Set<Int> = []

  /// - Parameters:
  ///   - depth: batches in memory, each of `order.maximumShard` images: one in use, the others being filled.
  ///   - teacherSide: the side of `Batch.teacherImages`, where a teacher looks at the pictures too.
  ///   - known: images to look for among those that are read.
  package init(
    _ source: any ImageSource, order: DataOrder, rank: Int, side: Int, augmentation: Augmentation, strength: Float = 1,
    workers: Int, depth: Int = 3, teacherSide: Int? = nil, known: KnownImages? = nil
  ) {
    precondition(source.count == order.sampleCount, "An order of \(order.sampleCount) for \(source.count) samples")
    precondition((0..<order.rankCount).contains(rank), "Rank \(rank) of \(order.rankCount)")
    self.order = order
    self.rank = rank
    self.side = side
    self.workers = workers
    let seed = order.seed
    pipeline = ImagePipeline(
      source, side: side, teacherSide: teacherSide, known: known, capacity: order.maximumShard, depth: depth,
      policy: .replace,
      plan: { step in
        let (epoch, stepInEpoch) = order.position(ofStep: step)
        return .init(
          epoch: epoch, samples: order.shard(epoch: epoch, step: stepInEpoch, rank: rank),
          repetitions: order.repetitions(epoch: epoch, step: stepInEpoch, rank: rank))
      },
      transform: { epoch, sample, repetition in
        // An image that comes again in the epoch looks otherwise: as no other sample would.
        let key = sample + repetition * order.sampleCount
        return augmentation.transform(seed: seed, epoch: epoch, sample: key, side: side, strength: strength)
      })
  }

  deinit { pipeline.stop() }

  /// Starts the workers at any step, counted from 0 over all epochs, up to `endStep` (not included).
  package func start(atStep step: Int = 0, endStep: Int = .max) {
    precondition(step >= 0 && step <= endStep, "Steps \(step) to \(endStep)")
    pipeline.start(step..<endStep, workers: workers)
  }

  /// Gives the batch before back and waits for the next one.
  ///
  /// - Throws: `DataError` naming a person of whom no image can be read. The loader can then only be stopped.
  package func next() throws -> Batch {
    let start = ContinuousClock.now
    defer { waited += ContinuousClock.now - start }
    guard let batch = try pipeline.next() else { preconditionFailure("next() after the last step") }
    for image in batch.badImages where knownBad.insert(image.sample).inserted { badImages.append(image) }
    return batch
  }

  /// Gives a batch back before the next one is asked for, so that its memory is filled meanwhile.
  package func release(_ batch: Batch) { pipeline.release(step: batch.step) }

  /// Ends the workers and waits for them; the loader may be started again.
  package func stop() { pipeline.stop() }
}
