package import MPI
package import NeuralNetwork

/// Training steps as the trainer makes them, on made-up images: network, L2Normalize, loss, gradients summed over the
/// ranks, SGD, renormalization.
package struct StepBenchmark {
  package struct Report: BenchmarkReport {
    package let network: String
    package let ranks: Int
    package let threads: Int
    /// Of each rank.
    package let batchSize: Int
    package let classes: Int
    package let embedding: Int
    package let steps: Int
    package let secondsPerStep: Double
    package let fastestSecondsPerStep: Double
    /// Of all ranks.
    package let imagesPerSecond: Double
    /// The largest among the ranks.
    package let peakResidentGB: Double
    /// The convolutions' primitives alone, layer after layer over the whole batch.
    package let convolutionSeconds: Double
    package let convolutionImagesPerSecond: Double
    /// convolutionSeconds / secondsPerStep
    package let shareOfConvolutionRate: Double
    package let limits: MachineLimits

    package var lines: [(name: String, value: String)] {
      [
        ("step", "\((1e3 * secondsPerStep).shown(1)) ms (fastest \((1e3 * fastestSecondsPerStep).shown(1)))"),
        ("images/s", "\(imagesPerSecond.shown(1)), \(ranks) ranks of \(threads) threads, \(batchSize) images each"),
        (
          "convolutions alone",
          "\((1e3 * convolutionSeconds).shown(1)) ms, \(convolutionImagesPerSecond.shown(1)) images/s"
        ),
        ("share reached", "\((100 * shareOfConvolutionRate).shown(1)) %"),
        ("peak memory", "\(peakResidentGB.shown(2)) GB a rank"),
      ] + limits.lines
    }
  }

  package let kind: NetworkKind
  package var inputSide = 112
  package var embedding = 512
  package var dropout = 0.0
  package var batchSize = 32
  package var classes = 10_000
  package var steps = 10
  package var settings = StepSettings()

  package init(_ kind: NetworkKind) { self.kind = kind }

  package func run(_ communicator: Communicator) throws -> Report {
    let network = kind.makeNetwork(embeddingWidth: embedding, inputSide: inputSide, dropout: dropout)
    let step = try TrainingStep(
      network, classCount: classes, capacity: batchSize, settings: settings, communicator: communicator)
    network.initialize(seed: 1)
    step.head.initialize(seed: 1)
    try step.synchronize(classWeightNorm: 1)
    let data = BenchmarkData(count: batchSize, shape: network.inputShape, classCount: classes, rank: communicator.rank)
    let timing = try data.labels.withUnsafeBufferPointer { labels in
      let keys = dropout > 0 ? (0..<batchSize).map { UInt64($0) } : []
      let batch = MicroBatch(images: .init(data.images.elements), labels: labels, keys: keys)
      var index = 0
      return try Timing.measure(steps) {
        _ = try step.run([batch], index: index, count: batchSize * communicator.size, learningRate: 0.01)
        index += 1
      }
    }
    // The slowest rank's step is everybody's.
    let seconds = try communicator.allReduce([timing.median, timing.minimum, ResidentMemory.peakGB], .max)

    let convolutions = network.convolutionsAlone(batch: batchSize, .training)
    _ = convolutions.input.buffer.update(fromContentsOf: data.images.elements)
    try communicator.barrier()
    let alone = Timing.measure(max(steps / 2, 3), warmUp: 1) { convolutions.run() }
    let convolutionSeconds = try communicator.allReduce(alone.median, .max)
    try communicator.barrier()
    let limits = MachineLimits.measure()

    let images = Double(batchSize * communicator.size)
    return Report(
      network: kind.rawValue, ranks: communicator.size, threads: Parallel.threads, batchSize: batchSize,
      classes: classes, embedding: embedding, steps: steps, secondsPerStep: seconds[0],
      fastestSecondsPerStep: seconds[1], imagesPerSecond: images / seconds[0], peakResidentGB: seconds[2],
      convolutionSeconds: convolutionSeconds, convolutionImagesPerSecond: images / convolutionSeconds,
      shareOfConvolutionRate: convolutionSeconds / seconds[0], limits: limits)
  }
}
