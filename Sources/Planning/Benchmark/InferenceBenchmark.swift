import Files
package import NeuralNetwork

/// Embeddings of made-up images: the evaluation pass, from pixels in memory to embeddings in memory.
package struct InferenceBenchmark {
  package struct Report: BenchmarkReport {
    package let network: String
    package let threads: Int
    package let batchSize: Int
    package let embedding: Int
    package let steps: Int
    /// Of a batch.
    package let milliseconds: Double
    package let fastestMilliseconds: Double
    package let imagesPerSecond: Double
    package let peakResidentGB: Double
    /// The convolutions' primitives alone.
    package let convolutionMilliseconds: Double
    package let shareOfConvolutionRate: Double
    package let limits: MachineLimits

    package var lines: [(name: String, value: String)] {
      [
        ("batch of \(batchSize)", "\(milliseconds.shown(2)) ms (fastest \(fastestMilliseconds.shown(2)))"),
        ("images/s", "\(imagesPerSecond.shown(1)) with \(threads) threads"),
        ("convolutions alone", "\(convolutionMilliseconds.shown(2)) ms"),
        ("share reached", "\((100 * shareOfConvolutionRate).shown(1)) %"),
        ("peak memory", "\(peakResidentGB.shown(2)) GB"),
      ] + limits.lines
    }
  }

  package let kind: NetworkKind
  package var inputSide = 112
  package var embedding = 512
  package var dropout = 0.0
  package var batchSize = 1
  package var steps = 30

  package init(_ kind: NetworkKind) { self.kind = kind }

  package func run() throws -> Report {
    let footprint = NetworkFootprint(
      kind, embeddingWidth: embedding, inputSide: inputSide, dropout: dropout, optimizer: nil, batch: 1)
    let remedy = "--batch-size, --input-size or --embedding"
    try MemoryNeed.check(footprint.parameterBytes, of: "A network like this", remedy: remedy)
    let network = kind.makeNetwork(embeddingWidth: embedding, inputSide: inputSide, dropout: dropout)
    try MemoryNeed.check(evaluating: network, batch: batchSize)
    network.initialize(seed: 1)
    let data = BenchmarkData(count: batchSize, shape: network.inputShape, classCount: 1)
    let pass = network.pass(batch: batchSize, .evaluation)
    let timing = Timing.measure(steps, warmUp: 3) {
      _ = pass.input.buffer.update(fromContentsOf: data.images.elements)
      pass.forward()
    }
    let peak = ResidentMemory.peakGB
    let convolutions = network.convolutionsAlone(batch: batchSize, .evaluation)
    _ = convolutions.input.buffer.update(fromContentsOf: data.images.elements)
    let alone = Timing.measure(steps, warmUp: 3) { convolutions.run() }
    return Report(
      network: kind.rawValue, threads: Parallel.threads, batchSize: batchSize, embedding: embedding, steps: steps,
      milliseconds: 1e3 * timing.median, fastestMilliseconds: 1e3 * timing.minimum,
      imagesPerSecond: Double(batchSize) / timing.median, peakResidentGB: peak,
      convolutionMilliseconds: 1e3 * alone.median, shareOfConvolutionRate: alone.median / timing.median,
      limits: .measure())
  }
}
