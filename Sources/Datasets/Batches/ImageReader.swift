/// Given samples in a given order, without augmentation, for evaluation: batches read ahead by worker threads.
///
/// An image that cannot be read is left blank (zeros) and listed in its batch's `badImages`: the caller decides.
package final class ImageReader {
  private let pipeline: ImagePipeline

  /// Starts reading at once.
  ///
  /// - Parameters:
  ///   - samples: sample numbers of `source`, any order, repetitions allowed.
  ///   - batchSize: images in a batch; the last may have fewer.
  package init(_ source: any ImageSource, samples: [Int], batchSize: Int, side: Int, workers: Int) {
    precondition(batchSize > 0, "Batches of \(batchSize)")
    let list = samples.map(Int32.init)
    let steps = (list.count + batchSize - 1) / batchSize
    pipeline = ImagePipeline(
      source, side: side, capacity: min(batchSize, list.count), depth: 3, policy: .leaveBlank,
      plan: { step in
        .init(epoch: 0, samples: Array(list[(step * batchSize)..<min((step + 1) * batchSize, list.count)]))
      },
      transform: { _, _, _ in PixelTransform() })
    pipeline.start(0..<steps, workers: workers)
  }

  deinit { pipeline.stop() }

  /// The next batch, whose first image is number `batch.step * batchSize` of the list; `nil` after the last.
  package func next() throws -> Batch? { try pipeline.next() }
}
