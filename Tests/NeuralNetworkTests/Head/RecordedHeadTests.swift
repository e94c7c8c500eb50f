import NeuralNetwork
import Testing

/// The reference's three steps: the numbers that the whole program must reproduce.
@Suite struct RecordedHeadTests {
  /// How a step is divided.
  enum Path: CaseIterable {
    /// One rank, W updated within the backward pass.
    case fused
    /// One rank, whole gradient.
    case gathered
    /// The two shards one after the other into the same gradient: what two ranks' allreduce gives.
    case shards
  }

  struct Outcome {
    var losses: [Double] = []
    var scales: [Double] = []
    var inputGradient: [Float] = []
    var classWeight: [Float] = []
  }

  /// Three steps with settings that a test may falsify.
  func steps(
    _ run: RecordedHead.Run, _ path: Path, margin: Double = 0.35, momentum: Float = 0.9, decay: Float? = nil
  ) throws -> Outcome {
    let width = RecordedHead.width
    let total = RecordedHead.labels.count
    let harness = HeadHarness(
      classes: 0..<RecordedHead.classCount, of: RecordedHead.classCount, width: width, capacity: total,
      margin: .cosine(margin),
      logitScale: run.fixed.map { .fixed($0) } ?? .learned(multiplier: run.multiplier!),
      holdsGradient: path != .fused, optimizer: .sgd(SGD(momentum: momentum)), decay: decay ?? run.decay)
    harness.set(RecordedHead.classWeight)
    let shards = path == .shards ? RecordedHead.shardSizes : [total]
    var outcome = Outcome()
    for _ in 0..<3 {
      try harness.classWeight.renormalize()
      outcome.scales.append(harness.classWeight.scale)
      outcome.inputGradient = []
      var (loss, start) = (0.0, 0)
      for size in shards {
        let range = start..<(start + size)
        start += size
        let x = Array(RecordedHead.inputs[range.lowerBound * width..<range.upperBound * width])
        try harness.normalize.forward(x, batch: size)
        loss += try harness.forward(
          Array(harness.normalize.embeddings), Array(RecordedHead.labels[range]), count: total)
        let gradient =
          path == .fused
          ? harness.backwardUpdating(samples: size, learningRate: 0.1) : harness.backward(samples: size)
        var result = gradient
        harness.normalize.backward(gradient, into: &result)
        outcome.inputGradient += result
      }
      if path != .fused { harness.update(learningRate: 0.1) }
      outcome.losses.append(loss)
    }
    outcome.classWeight = harness.weight
    return outcome
  }

  func error(_ outcome: Outcome, _ run: RecordedHead.Run) -> Double {
    max(
      difference(outcome.losses, run.losses), difference(outcome.scales, run.scales),
      difference(outcome.inputGradient, run.inputGradient), difference(outcome.classWeight, run.classWeight))
  }

  @Test(arguments: RecordedHead.runs, Path.allCases)
  func reproduces(run: RecordedHead.Run, path: Path) throws {
    // Float's rounding, grown over three steps.
    #expect(error(try steps(run, path), run) < 3e-6, "\(run.name), \(path)")
  }

  @Test(arguments: RecordedHead.runs) func noticesPlantedMistakes(run: RecordedHead.Run) throws {
    #expect(error(try steps(run, .fused, margin: 0.36), run) > 1e-4)
    #expect(error(try steps(run, .fused, momentum: 0.89), run) > 1e-4)
    #expect(error(try steps(run, .fused, decay: run.decay + 0.005), run) > 1e-4)
    #expect(error(try steps(run, .gathered, momentum: 0.89), run) > 1e-4)
  }
}
