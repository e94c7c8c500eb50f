package import Distributed
import Files
import NeuralNetwork
import VectorKernels

/// The classifier alone on one rank: L2Normalize, loss, backward with the fused update, renormalization.
package struct HeadBenchmark {
  package struct Report: BenchmarkReport {
    package let threads: Int
    package let batchSize: Int
    package let classes: Int
    package let embedding: Int
    package let steps: Int
    package let secondsPerStep: Double
    package let fastestSecondsPerStep: Double
    package let peakResidentGB: Double
    /// Five passes of N * K Floats at the triad's bandwidth.
    package let memoryLimitSeconds: Double
    /// Three products of 2 M N K operations at the large product's rate.
    package let productLimitSeconds: Double
    /// The larger limit / secondsPerStep
    package let shareOfLimit: Double
    package let limits: MachineLimits

    package var lines: [(name: String, value: String)] {
      [
        ("step", "\((1e3 * secondsPerStep).shown(1)) ms (fastest \((1e3 * fastestSecondsPerStep).shown(1)))"),
        ("memory's limit", "\((1e3 * memoryLimitSeconds).shown(1)) ms"),
        ("products' limit", "\((1e3 * productLimitSeconds).shown(1)) ms"),
        ("share reached", "\((100 * shareOfLimit).shown(1)) %"),
        ("peak memory", "\(peakResidentGB.shown(2)) GB"),
      ] + limits.lines
    }
  }

  package var classes = 100_000
  package var embedding = 512
  package var batchSize = 64
  package var steps = 5
  package var settings = StepSettings()

  package init() {}

  package func run() throws -> Report {
    let (M, N, K) = (batchSize, classes, embedding)
    try MemoryNeed.check(
      LargeMarginCosineLoss.bytes(
        rows: N, width: K, capacity: M, threads: Parallel.threads, holdsGradient: false,
        states: settings.optimizer.stateNames.count),
      of: "A classifier like this", remedy: "--classes, --embedding or --batch-size")
    let head = LargeMarginCosineLoss(
      classes: 0..<N, of: N, width: K, capacity: M, margin: settings.margin, logitScale: settings.logitScale,
      holdsGradient: false)
    head.classWeight.store.makeStates(settings.optimizer.stateNames)
    let normalize = L2Normalize(width: K, capacity: M)
    head.classWeight.initialize(seed: 1)
    try head.classWeight.renormalize(to: 1)
    let x = AlignedMemory(count: M * K)
    Initializer.normal(standardDeviation: 1).fill(x.elements, seed: 1, name: "embeddings")
    let gradient = AlignedMemory(count: M * K)
    let labels = (0..<M).map { Int32(($0 * 7_919) % N) }
    let rule = settings.optimizer.rule(UpdateStep(index: 0, learningRate: 0.01))
    let timing = try labels.withUnsafeBufferPointer { labels in
      try Timing.measure(steps) {
        try normalize.forward(x.elements.baseAddress!, batch: M)
        _ = try head.forward(normalize.embeddings.baseAddress!, labels: labels, count: M)
        head.backward(into: gradient.elements.baseAddress!, updatingWith: rule)
        normalize.backward(gradient.elements.baseAddress!, into: gradient.elements.baseAddress!)
        try head.classWeight.renormalize()
      }
    }
    let peak = ResidentMemory.peakGB
    let limits = MachineLimits.measure()
    let memory = 5 * Double(N * K * 4) / (limits.triadGBPerSecond * 1e9)
    let products = 6 * Double(M) * Double(N * K) / (limits.gemmGFLOPPerSecond * 1e9)
    return Report(
      threads: Parallel.threads, batchSize: M, classes: N, embedding: K, steps: steps, secondsPerStep: timing.median,
      fastestSecondsPerStep: timing.minimum, peakResidentGB: peak, memoryLimitSeconds: memory,
      productLimitSeconds: products, shareOfLimit: max(memory, products) / timing.median, limits: limits)
  }
}
