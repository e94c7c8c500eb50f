package import Distributed
package import MPI
package import NeuralNetwork
import Training

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
    /// What a rank sends in a step, by part.
    package let traffic: [Traffic]
    /// All parts by their formulas.
    package let formulaBytesPerStep: Int
    /// What a host sent through its network in a step, headers and all: the most of any host. nil within one host.
    package let hostBytesPerStep: Int?
    package let gradientType: GradientType
    package let bucketBytes: Int
    package let limits: MachineLimits
    /// Of rank 0, in the order of the network, then the class weight; nil unless asked for.
    package let layers: [LayerTime]?
    package let layerSums: StepSums?

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
      ]
        + sentLines + limits.lines
    }

    package var text: String {
      guard let layers, let layerSums else { return table }
      return table + "\n" + (ranks > 1 ? "Rank 0 of \(ranks). " : "") + LayerTable.text(layers, layerSums)
    }

    private var sentLines: [(name: String, value: String)] {
      let parts = traffic.map { part in
        let counted = part.counted.map { ", \($0) counted" } ?? ""
        return (name: "sent: \(part.name)", value: "\(part.formula) bytes a step by the formula" + counted)
      }
      let counted = hostBytesPerStep.map { ", \($0) a host by its network's count" } ?? ""
      return parts + [("sent in all", "\(formulaBytesPerStep) bytes a step by the formulas" + counted)]
    }
  }

  package let workload: StepWorkload
  package var steps = 10
  package var settings = StepSettings()
  /// Whether the layers are measured one by one, too.
  package var measuresLayers = false

  package init(_ workload: StepWorkload) { self.workload = workload }

  package func run(_ communicator: Communicator) throws -> Report {
    let (batchSize, classes) = (workload.batchSize, workload.classes)
    try MemoryReport(workload, settings, ranks: communicator.size).check(
      of: "A step like this", remedy: "--batch-size, --classes, --input-size or --embedding", communicator)
    let network = workload.makeNetwork()
    let step = try TrainingStep(
      network, classCount: classes, capacity: batchSize, settings: settings, communicator: communicator)
    step.initialize(seed: 1)
    try step.synchronize(classWeightNorm: 1)
    let data = BenchmarkData(count: batchSize, shape: network.inputShape, classCount: classes, rank: communicator.rank)
    var stepCount = 0
    try communicator.barrier()
    let sentBefore = NetworkCounters.current().sentElsewhere
    let profile = measuresLayers ? StepProfile(step, batchSize: batchSize) : nil
    let timing = try data.labels.withUnsafeBufferPointer { labels in
      let keys = workload.dropout > 0 ? (0..<batchSize).map { UInt64($0) } : []
      let batch = MicroBatch(images: .init(data.images.elements), labels: labels, keys: keys)
      var index = 0
      defer { stepCount = index }
      func run() throws {
        _ = try step.run([batch], index: index, count: batchSize * communicator.size, learningRate: 0.01)
        index += 1
      }
      return try profile?.measure(steps, run) ?? Timing.measure(steps, run)
    }
    let sent = try hostBytes(since: sentBefore, communicator) / max(stepCount, 1)
    // The slowest rank's step is everybody's.
    let seconds = try communicator.allReduce([timing.median, timing.minimum, ResidentMemory.peakGB], .max)

    let convolutions = network.convolutionsAlone(batch: batchSize, .training)
    _ = convolutions.input.buffer.update(fromContentsOf: data.images.elements)
    try communicator.barrier()
    let alone = Timing.measure(max(steps / 2, 3), warmUp: 1) { convolutions.run() }
    let convolutionSeconds = try communicator.allReduce(alone.median, .max)
    try communicator.barrier()
    let limits = MachineLimits.measure()
    let layers = profile?.report(limits, without: timing)

    let traffic = try Traffic.ofStep(step, samples: batchSize, stepCount: stepCount)
    let hosts = try communicator.placement().nodeCount
    let images = Double(batchSize * communicator.size)
    return Report(
      network: workload.kind.rawValue, ranks: communicator.size, threads: Parallel.threads, batchSize: batchSize,
      classes: classes, embedding: workload.embedding, steps: steps, secondsPerStep: seconds[0],
      fastestSecondsPerStep: seconds[1], imagesPerSecond: images / seconds[0], peakResidentGB: seconds[2],
      convolutionSeconds: convolutionSeconds, convolutionImagesPerSecond: images / convolutionSeconds,
      shareOfConvolutionRate: convolutionSeconds / seconds[0], traffic: traffic,
      formulaBytesPerStep: traffic.reduce(0) { $0 + $1.formula }, hostBytesPerStep: hosts > 1 ? sent : nil,
      gradientType: settings.gradientType, bucketBytes: settings.bucketBytes, limits: limits,
      layers: layers?.layers, layerSums: layers?.sums)
  }

  /// The most that any host has sent since it had sent `before`.
  private func hostBytes(since before: Int?, _ communicator: Communicator) throws -> Int {
    try communicator.barrier()
    let sent = before.flatMap { before in NetworkCounters.current().sentElsewhere.map { $0 - before } } ?? 0
    return try communicator.allReduce(sent, .max)
  }
}

/// What a measured or planned step computes.
package struct StepWorkload: Sendable {
  package let kind: NetworkKind
  package var inputSide = 112
  package var embedding = 512
  package var dropout = 0.0
  /// Of each rank.
  package var batchSize = 32
  package var classes = 10_000
  package var recomputes = false
  /// As it was given, and the names of the parameters that it says.
  package private(set) var freeze: [String] = []
  package private(set) var frozen: Set<String> = []

  package init(_ kind: NetworkKind) { self.kind = kind }

  /// Has what these patterns name not be trained.
  ///
  /// - Throws: `AdaptationError` for one that names nothing.
  package mutating func freeze(_ patterns: [String]) throws {
    (freeze, frozen) = (patterns, try Adaptation(kind, freeze: patterns).frozen)
  }

  func makeNetwork() -> Network {
    kind.makeNetwork(
      embeddingWidth: embedding, inputSide: inputSide, dropout: dropout, recomputes: recomputes, frozen: frozen)
  }
}

extension MemoryReport {
  /// Of a rank that computes a workload's steps.
  init(_ workload: StepWorkload, _ settings: StepSettings, ranks: Int) {
    let network = NetworkFootprint(
      workload.kind, embeddingWidth: workload.embedding, inputSide: workload.inputSide, dropout: workload.dropout,
      recomputes: workload.recomputes, frozen: workload.frozen, optimizer: settings.optimizer,
      batch: workload.batchSize)
    var own = Settings(classCount: workload.classes, batch: workload.batchSize, imageSide: workload.inputSide)
    (own.classifier, own.sampling, own.bucketBytes) = (settings.classifier, settings.sampling, settings.bucketBytes)
    (own.ranks, own.threads, own.loadedBatches) = (ranks, Parallel.threads, 1)
    own.copiesCheckpoints = false
    self.init(network, own)
  }
}
