import Distributed
import MPI
import NeuralNetwork
import Training
import VectorKernels

/// Measures the parts of a step on all ranks at the same time; the slowest counts.
struct ComputeProbe {
  /// At most `rows` of its classes are measured.
  let workload: StepWorkload
  var steps = 5
  private let optimizer: OptimizerKind
  private var settings: StepSettings { StepSettings(optimizer) }

  /// Rows that are measured: three copies of them are far larger than any cache.
  private static let rows = 16_384

  init(_ workload: StepWorkload, _ optimizer: OptimizerKind) {
    (self.workload, self.optimizer) = (workload, optimizer)
  }

  func measure(_ communicator: Communicator) throws -> ComputeMeasurement {
    let program = ResidentMemory.currentBytes
    let (batchSize, embedding) = (workload.batchSize, workload.embedding)
    // Only a part of its classes is measured.
    var measured = workload
    measured.classes = min(workload.classes, Self.rows)
    try MemoryReport(measured, settings, ranks: communicator.size).check(
      of: "Measuring a step like this", remedy: "--batch-size, --input-size or --embedding", communicator)
    let network = workload.makeNetwork()
    network.initialize(seed: 1)
    network.reserve(training: batchSize)
    let data = BenchmarkData(count: batchSize, shape: network.inputShape, classCount: 2, rank: communicator.rank)
    if workload.dropout > 0 { network.random.keys = (0..<batchSize).map { UInt64($0) } }
    let normalize = L2Normalize(width: embedding, capacity: batchSize)
    let pass = network.pass(batch: batchSize, .training)
    let clock = ChainClock(chains: pass.backwardLayers.count)
    pass.observer = clock
    let parameterUpdate = ParameterUpdate(network.parameters, settings.optimizer) { _ in Float(settings.weightDecay) }
    var (forward, backward, update, matrices): ([Double], [[Double]], [Double], [Double]) = ([], [], [], [])
    for step in 0..<(steps + 2) {
      try communicator.barrier()
      let start = ContinuousClock.now
      _ = pass.input.buffer.update(fromContentsOf: data.images.elements)
      pass.forward()
      try normalize.forward(pass.output.elements, batch: batchSize)
      let between = ContinuousClock.now
      network.parameters.zeroGradients()
      if pass.trains {
        let gradient = pass.outputGradient.elements
        normalize.backward(normalize.embeddings.baseAddress!, into: gradient)
        pass.backward { _ in }
      }
      let end = ContinuousClock.now
      // A rate of zero costs the same and leaves the weights as they are.
      let rule = UpdateStep(index: step, learningRate: 0)
      parameterUpdate.run(rule)
      parameterUpdate.finish(rule)
      let updated = ContinuousClock.now
      parameterUpdate.orthogonalize()
      let orthogonal = ContinuousClock.now
      guard step >= 2 else { continue }  // The first steps make primitives.
      forward.append((between - start).seconds)
      backward.append(clock.seconds)
      update.append((updated - end).seconds)
      matrices.append((orthogonal - updated).seconds)
    }
    let line = ParameterStore.alignment
    let chains = pass.backwardLayers.enumerated().map { index, layers in
      ComputeMeasurement.Chain(
        seconds: Timing(backward.map { $0[index] }).median,
        gradients: layers.flatMap(\.parameters).filter(\.isTrained)
          .reduce(0) { $0 + ($1.count + line - 1) / line * line })
    }
    let costs = try HeadProbe(
      rows: min(workload.classes, Self.rows), width: embedding, batchSize: batchSize, steps: steps, settings: settings,
      trainsNetwork: pass.trains
    ).measure(communicator)
    var result = ComputeMeasurement(
      network: workload.kind.rawValue, inputSide: workload.inputSide, embedding: embedding, batchSize: batchSize,
      threads: Parallel.threads, optimizer: optimizer,
      freeze: workload.freeze.isEmpty ? nil : workload.freeze, ranks: communicator.size,
      forwardSeconds: Timing(forward).median,
      backward: chains, updateSeconds: Timing(update).median,
      matrixSeconds: parameterUpdate.shares.isEmpty ? nil : Timing(matrices).median, classifierForward: costs.forward,
      classifierBackward: costs.backward, classifierFused: costs.fused, classifierUpdate: costs.update,
      renormalizeSecondsPerRow: costs.renormalize,
      copyBytesPerSecond: try copyRate(communicator), programBytes: program)
    try slowest(&result, communicator)
    return result
  }

  /// Every rank gets the same figures, each that of the slowest rank.
  private func slowest(_ result: inout ComputeMeasurement, _ communicator: Communicator) throws {
    guard communicator.size > 1 else { return }
    let costs: [WritableKeyPath<ComputeMeasurement, ComputeMeasurement.RowCost>] = [
      \.classifierForward, \.classifierBackward, \.classifierFused, \.classifierUpdate,
    ]
    var values = [
      result.forwardSeconds, result.updateSeconds, result.renormalizeSecondsPerRow, 1 / result.copyBytesPerSecond,
      Double(result.programBytes), result.matrixSeconds ?? 0,
    ]
    values += result.backward.map(\.seconds) + costs.flatMap { [result[keyPath: $0].row, result[keyPath: $0].sample] }
    var all = try communicator.allReduce(values, .max)[...]
    result.forwardSeconds = all.removeFirst()
    result.updateSeconds = all.removeFirst()
    result.renormalizeSecondsPerRow = all.removeFirst()
    result.copyBytesPerSecond = 1 / all.removeFirst()
    result.programBytes = Int(all.removeFirst())
    let matrices = all.removeFirst()
    if result.matrixSeconds != nil { result.matrixSeconds = matrices }
    for index in result.backward.indices { result.backward[index].seconds = all.removeFirst() }
    for cost in costs {
      result[keyPath: cost] = .init(row: all.removeFirst(), sample: all.removeFirst())
    }
  }

  /// With all ranks copying at once, as they do when a bucket arrives: those of one host share its memory.
  private func copyRate(_ communicator: Communicator) throws -> Double {
    let count = 16 << 20
    let (from, to) = (AlignedMemory(count: count), AlignedMemory(count: count))
    var seconds: [Double] = []
    for _ in 0..<6 {
      try communicator.barrier()
      let start = ContinuousClock.now
      _ = to.elements.update(fromContentsOf: from.elements)
      seconds.append((ContinuousClock.now - start).seconds)
    }
    return Double(4 * count) / Timing(Array(seconds.dropFirst())).median
  }

  /// Seconds of each chain of the last backward pass.
  private final class ChainClock: PassObserver {
    var seconds: [Double]
    private var start = ContinuousClock.now

    init(chains: Int) { seconds = Array(repeating: 0, count: chains) }

    func begins(chain: Int, _ stage: PassStage) { start = .now }
    func ends(chain: Int, _ stage: PassStage) {
      if stage == .backward { seconds[chain] = (ContinuousClock.now - start).seconds }
    }
  }
}
