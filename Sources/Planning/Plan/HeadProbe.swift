import Distributed
import MPI
import NeuralNetwork
import VectorKernels

/// Measures the classifier's parts at two numbers of samples and draws a line through them: the fixed time of a row (its
/// memory), and what each sample adds (the products).
struct HeadProbe {
  let rows: Int
  let width: Int
  let batchSize: Int
  let steps: Int
  let settings: StepSettings
  /// Whether the embeddings' gradients are asked for.
  let trainsNetwork: Bool

  struct Costs {
    var forward: ComputeMeasurement.RowCost
    var backward: ComputeMeasurement.RowCost
    var fused: ComputeMeasurement.RowCost
    var update: ComputeMeasurement.RowCost
    var renormalize: Double
  }

  func measure(_ communicator: Communicator) throws -> Costs {
    let samples = (batchSize, 4 * batchSize)
    let head = LargeMarginCosineLoss(
      classes: 0..<rows, of: rows, width: width, capacity: samples.1, margin: settings.margin,
      logitScale: settings.logitScale, holdsGradient: true)
    head.classWeight.store.makeStates(settings.optimizer.stateNames)
    head.classWeight.initialize(seed: 1)
    try head.classWeight.renormalize(to: 1)
    let (few, many) = (try measure(head, samples.0, communicator), try measure(head, samples.1, communicator))
    func line(_ part: KeyPath<Seconds, Double>) -> ComputeMeasurement.RowCost {
      let (a, b) = (few[keyPath: part] / Double(rows), many[keyPath: part] / Double(rows))
      let slope = max((b - a) / Double(samples.1 - samples.0), 0)
      return .init(row: max(a - slope * Double(samples.0), 0), sample: slope)
    }
    return Costs(
      forward: line(\.forward), backward: line(\.backward), fused: line(\.fused),
      // Neither depends on the samples.
      update: .init(row: few.update / Double(rows), sample: 0), renormalize: few.renormalize / Double(rows))
  }

  private struct Seconds {
    var forward = 0.0
    var backward = 0.0
    var fused = 0.0
    var update = 0.0
    var renormalize = 0.0
  }

  private func measure(_ head: LargeMarginCosineLoss, _ samples: Int, _ communicator: Communicator) throws -> Seconds {
    let embeddings = AlignedMemory(count: samples * width)
    Initializer.normal(standardDeviation: 1).fill(embeddings.elements, seed: 1, name: "embeddings")
    let normalize = L2Normalize(width: width, capacity: samples)
    try normalize.forward(embeddings.elements.baseAddress!, batch: samples)
    let memory = AlignedMemory(count: samples * width)
    let gradient = trainsNetwork ? memory.elements.baseAddress! : nil
    let labels = (0..<samples).map { Int32(($0 * 7_919) % rows) }
    // A rate of zero: the same work, and weights that stay as they are.
    let rule = settings.optimizer.rule(UpdateStep(index: 0, learningRate: 0))
    var all: [Seconds] = []
    for step in 0..<(steps + 1) {
      try communicator.barrier()
      var seconds = Seconds()
      var start = ContinuousClock.now
      func lap() -> Double {
        defer { start = .now }
        return (ContinuousClock.now - start).seconds
      }
      func forward() throws {
        _ = try labels.withUnsafeBufferPointer {
          try head.forward(normalize.embeddings.baseAddress!, labels: $0, count: samples)
        }
      }
      try forward()
      seconds.forward = lap()
      head.backward(into: gradient)
      seconds.backward = lap()
      head.classWeight.update(0..<rows, with: rule, clearingGradient: true)
      seconds.update = lap()
      try head.classWeight.renormalize()
      seconds.renormalize = lap()
      try forward()
      _ = lap()
      head.backward(into: gradient, updatingWith: rule)
      seconds.fused = lap()
      try head.classWeight.renormalize()
      if step > 0 { all.append(seconds) }
    }
    func median(_ part: KeyPath<Seconds, Double>) -> Double { Timing(all.map { $0[keyPath: part] }).median }
    return Seconds(
      forward: median(\.forward), backward: median(\.backward), fused: median(\.fused), update: median(\.update),
      renormalize: median(\.renormalize))
  }
}
