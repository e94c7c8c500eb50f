import Distributed
import MPI
import NeuralNetwork
import Training

/// Measures where the time of training steps goes on this rank, layer by layer: `LayerClock` and `StepClock` say what
/// is counted how.
///
/// Steps with clocks and steps without take turns: what disturbs the machine meets both, and the clocks' cost shows.
final class StepProfile {
  private let step: TrainingStep
  private let batchSize: Int
  private let stepClock = StepClock()
  private var layerClock: LayerClock?
  /// Seconds of the steps with clocks.
  private var wholes: [Double] = []
  /// For each part of a step, in the order of `slots`, its seconds in each step.
  private var seconds: [[Double]] = []

  /// What is told apart.
  private enum Slot: Hashable {
    case layer(Int, LayerDirection)
    case part(TraceRecorder.Phase)
    case library, waiting
    /// What no clock saw.
    case unseen
  }
  private var slots: [Slot] = []

  private static let parts: [TraceRecorder.Phase] = [
    .classifierForward, .classifierBackward, .renormalize, .update, .zeroGradients, .communicationWait,
  ]

  init(_ step: TrainingStep, batchSize: Int) { (self.step, self.batchSize) = (step, batchSize) }

  /// Makes `count` steps with clocks and as many without, whose times it returns. `body` is a step.
  func measure(_ count: Int, _ body: () throws -> Void) rethrows -> Timing {
    func time() throws -> Double { try Timing.measure(1, warmUp: 0, body).median }
    // Makes primitives, and the pass.
    for _ in 0..<2 { try body() }
    let pass = step.pass(batch: batchSize)
    let clock = LayerClock(pass)
    layerClock = clock
    slots = clock.works.enumerated().flatMap { index, work in work.directions.map { .layer(index, $0) } }
    slots += Self.parts.map { .part($0) } + [.library, .waiting, .unseen]
    seconds = slots.map { _ in [] }
    var without: [Double] = []
    for round in 0...count {
      let plain = try time()
      (pass.clock, step.clock) = (clock, stepClock)
      clock.clear()
      stepClock.clear()
      let whole = try time()
      (pass.clock, step.clock) = (nil, nil)
      // The first touches the clocks' memory.
      guard round > 0 else { continue }
      without.append(plain)
      keep(whole, clock)
    }
    return Timing(without)
  }

  private func keep(_ whole: Double, _ clock: LayerClock) {
    wholes.append(whole)
    var left = whole
    for (index, slot) in slots.enumerated() {
      let own =
        switch slot {
        case .layer(let layer, let direction): clock.seconds(layer, direction)
        case .part(let part): stepClock.seconds(part)
        case .library: stepClock.librarySeconds
        case .waiting: clock.waitingSeconds
        case .unseen: left
        }
      seconds[index].append(own)
      left -= own
    }
  }

  private func timing(_ slot: Slot) -> Timing { Timing(seconds[slots.firstIndex(of: slot)!]) }

  /// After `measure`.
  func report(_ limits: MachineLimits, without: Timing) -> (layers: [LayerTime], sums: StepSums) {
    guard let clock = layerClock else { preconditionFailure("A report of a profile before its measurement") }
    let whole = Timing(wholes).median
    let optimizer = step.settings.optimizer
    let trained = clock.works.reduce(0) { $0 + $1.trainedCount }
    // Where matrices are updated as wholes, the time is not in proportion to the elements.
    let dividesUpdate = !optimizer.updatesMatrices && trained > 0
    let update = timing(.part(.update))
    var layers = clock.works.enumerated().map { index, work in
      var directions = work.directions.map { direction in
        LayerTime.Measurement(
          .init(direction), timing(.layer(index, direction)), operations: work.operations(direction),
          bytes: work.bytes(direction), limits)
      }
      if dividesUpdate && work.trainedCount > 0 {
        // Values and states are read and written, gradients are read.
        let bytes = MemoryLayout<Float>.size * work.trainedCount * (3 + 2 * optimizer.stateNames.count)
        let share = Double(work.trainedCount) / Double(trained)
        directions.append(.init(.update, Timing(update.seconds.map { $0 * share }), bytes: bytes, limits))
      }
      return LayerTime(work, directions)
    }
    layers.append(classWeight(limits))
    for layer in layers.indices {
      for index in layers[layer].directions.indices {
        layers[layer].directions[index].share = layers[layer].directions[index].milliseconds / (1e3 * whole)
      }
    }
    var rest = [("gradients set to zero", timing(.part(.zeroGradients)).median)]
    if !dividesUpdate { rest.append((StepSums.update, update.median)) }
    if step.communicator.size > 1 {
      rest.append(("communication: inside the MPI library", timing(.library).median))
      rest.append(("sums of what other ranks sent, at the end", timing(.part(.communicationWait)).median))
    }
    rest.append(("threads wait for one another", timing(.waiting).median))
    rest.append(("no clock saw: images' copy, normalized embeddings", timing(.unseen).median))
    return (layers, StepSums(layers, rest: rest, seconds: whole, secondsWithoutClocks: without.median))
  }

  /// On one rank all passes over the rows: one forward, and those of the backward pass that updates them. No limit is
  /// told where ranks or samples divide them.
  private func classWeight(_ limits: MachineLimits) -> LayerTime {
    let weight = step.classWeight
    let isWhole = step.communicator.size == 1 && step.settings.sampling == nil
    let operations = isWhole ? 2 * batchSize * weight.rowCount * weight.width : 0
    let bytes = isWhole ? MemoryLayout<Float>.size * weight.rowCount * weight.width : nil
    let states = step.settings.optimizer.stateNames.count
    return LayerTime(
      classRows: weight.rowCount, embedding: weight.width,
      [
        .init(
          .forward, timing(.part(.classifierForward)), operations: operations, bytes: bytes, limits),
        .init(
          .backward, timing(.part(.classifierBackward)), operations: 2 * operations,
          bytes: bytes.map { (2 + 2 * states) * $0 }, limits),
        .init(.renormalize, timing(.part(.renormalize)), bytes: nil, limits),
      ])
  }
}
