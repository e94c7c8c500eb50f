import Distributed
import MPI
import NeuralNetwork
import Testing
import Training
import VectorKernels

extension RankTests {
  /// Divided classes train what replicated ones train.
  @Suite struct ShardedClassifierTests {
    let world = RankTests.world
    private let fixture = StepFixture(classes: 23)

    private func settings(
      _ classifier: ClassifierKind, margin: Margin = .cosine(0.35), _ scale: LogitScale,
      _ optimizer: Optimizer = .sgd(SGD())
    ) -> StepSettings {
      var settings = StepFixture.settings
      settings.optimizer = optimizer
      settings.classifier = classifier
      settings.margin = margin
      settings.logitScale = scale
      settings.weightDecay = 0
      return settings
    }

    private func makeStep(_ settings: StepSettings, accumulates: Bool = false, on communicator: Communicator? = nil)
      throws -> TrainingStep
    {
      try fixture.makeStep(settings, capacity: 2 * world.size, accumulates: accumulates, on: communicator ?? world)
    }

    /// This rank's micro-batches of the step's global batch.
    private func train(_ step: TrainingStep, _ parts: [Range<Int>], of count: Int, index: Int) throws -> Double {
      try fixture.train(step, parts, of: count, index: index)
    }

    /// What all ranks hold of the class weight, one after another: N rows.
    private func gathered(_ part: UnsafeMutableBufferPointer<Float>, _ step: TrainingStep) throws -> [Float] {
      if step.settings.classifier == .replicated { return Array(part) }
      return try world.allGather(Array(part), counts: world.allGather(part.count))
    }

    /// Ways to divide the samples of a step.
    enum Division: CaseIterable {
      case even, uneven, lastRankOnly

      func samples(of rank: Int, among ranks: Int) -> Range<Int> {
        let count = 2 * ranks
        switch self {
        case .even: return Share.range(of: count, rank, ranks)
        case .uneven:
          // 0, 1, 2, ... of them; the rest for the last one.
          let start = rank * (rank - 1) / 2
          return min(start, count)..<(rank == ranks - 1 ? count : min(start + rank, count))
        case .lastRankOnly: return rank == ranks - 1 ? 0..<count : count..<count
        }
      }
    }

    @Test(arguments: [
      (Division.uneven, 5, LogitScale.learned(multiplier: 4)), (.even, 3, .fixed(8)),
      (.lastRankOnly, 3, .learned(multiplier: 2)),
    ])
    func equalsReplicated(division: Division, steps: Int, scale: LogitScale) throws {
      let margin: Margin =
        switch division {
        case .uneven: .cosine(0.35)
        case .even: .angular(0.5)
        case .lastRankOnly: Margin(multiplier: 1.2, angle: 0.2, cosine: 0.1)
        }
      // Where Adam's epsilon is as large as the gradients, roundings of these stay as small in its updates.
      let optimizer = division == .even ? Optimizer.adamW(AdamW(epsilon: 0.01)) : .sgd(SGD())
      let count = 2 * world.size
      let mine = division.samples(of: world.rank, among: world.size)
      let parts = mine.isEmpty ? [] : [mine]
      let sharded = try makeStep(settings(.sharded, margin: margin, scale, optimizer))
      let replicated = try makeStep(settings(.replicated, margin: margin, scale, optimizer))
      #expect(sharded.classWeight.rowCount == Share.range(of: fixture.classes, world.rank, world.size).count)
      for index in 0..<steps {
        let a = try train(sharded, parts, of: count, index: index)
        let b = try train(replicated, parts, of: count, index: index)
        #expect(abs(a - b) <= 1e-4 * b, "step \(index): \(a) sharded, \(b) replicated")
        #expect(abs(sharded.classWeight.scale - replicated.classWeight.scale) <= 1e-6 * replicated.classWeight.scale)
        guard index == 0 else { continue }
        // After one step momentum is the gradient, and Adam's first average a part of it.
        let gradients = try (
          gathered(sharded.classWeight.states[0].values, sharded),
          gathered(replicated.classWeight.states[0].values, replicated)
        )
        #expect(StepFixture.distance(gradients.0, gradients.1) <= 1e-5)
        let (mine, other) = (sharded.network.parameters.gradients, replicated.network.parameters.gradients)
        #expect(StepFixture.distance(mine, other) <= 1e-5)
      }
      for step in [sharded, replicated] { step.classWeight.materialize() }
      let rows = try (
        gathered(sharded.classWeight.value, sharded), gathered(replicated.classWeight.value, replicated)
      )
      #expect(StepFixture.distance(rows.0, rows.1) <= 1e-5)
      #expect(StepFixture.distance(sharded.network.parameters.values, replicated.network.parameters.values) <= 1e-5)
      try ReplicaCheck(sharded.replicas).run(world, step: steps)
      // Buffers do not keep their owners alive.
      withExtendedLifetime((sharded, replicated)) {}
    }

    /// Ranks come with different numbers of micro-batches.
    @Test func accumulationEqualsReplicated() throws {
      let count = 2 * world.size
      let mine = Division.uneven.samples(of: world.rank, among: world.size)
      let parts = MicroBatch.division(of: mine.count, parts: 3).map {
        ($0.lowerBound + mine.lowerBound)..<($0.upperBound + mine.lowerBound)
      }
      let sharded = try makeStep(settings(.sharded, .learned(multiplier: 4)), accumulates: true)
      let replicated = try makeStep(settings(.replicated, .learned(multiplier: 4)), accumulates: true)
      for index in 0..<3 {
        let a = try train(sharded, parts, of: count, index: index)
        let b = try train(replicated, parts, of: count, index: index)
        #expect(abs(a - b) <= 1e-5 * b, "step \(index): \(a) sharded, \(b) replicated")
      }
      #expect(
        try StepFixture.distance(
          gathered(sharded.classWeight.states[0].values, sharded),
          gathered(replicated.classWeight.states[0].values, replicated)) <= 1e-5)
      #expect(StepFixture.distance(sharded.network.parameters.values, replicated.network.parameters.values) <= 1e-5)
      withExtendedLifetime((sharded, replicated)) {}
    }

    @Test func clippingEqualsReplicated() throws {
      let count = 2 * world.size
      let mine = [Share.range(of: count, world.rank, world.size)]
      let clipped = try [ClassifierKind.sharded, .replicated].map { kind in
        var settings = settings(kind, .learned(multiplier: 4))
        settings.gradientClipping = 0.1
        return try makeStep(settings)
      }
      let free = try makeStep(settings(.sharded, .learned(multiplier: 4)))
      for index in 0..<3 {
        for step in clipped + [free] { _ = try train(step, mine, of: count, index: index) }
      }
      let momenta = try (clipped + [free]).map { try gathered($0.classWeight.states[0].values, $0) }
      #expect(StepFixture.distance(momenta[0], momenta[1]) <= 1e-5)
      #expect(StepFixture.distance(clipped[0].network.parameters.values, clipped[1].network.parameters.values) <= 1e-5)
      // A clip that changes nothing would make this test worthless.
      #expect(StepFixture.distance(momenta[2], momenta[1]) > 0.1)
      withExtendedLifetime((clipped, free)) {}
    }

    /// The sample of classes depends on seed and step alone: one rank and many train the same.
    @Test func samplesAlikeOnAnyNumberOfRanks() throws {
      var settings = settings(.sharded, .learned(multiplier: 4))
      settings.sampling = ClassSampling(rate: 0.3, seed: 3)
      let count = 2 * world.size
      let pair = try StepPair(fixture, on: world, mine: 2, count: count) {
        try fixture.makeStep(settings, capacity: $1, on: $0)
      }
      for index in 0..<5 {
        let loss = try pair.train(Share.range(of: count, world.rank, world.size), of: count, index: index)
        guard let single = pair.single, let alone = loss.single else { continue }
        #expect(abs(loss.together - alone) <= 1e-5 * alone, "step \(index) on \(world.size) ranks: \(loss)")
        #expect(abs(pair.together.classWeight.scale - single.classWeight.scale) <= 1e-6)
      }
      let momenta = try gathered(pair.together.classWeight.states[0].values, pair.together)
      if let single = pair.single {
        #expect(StepFixture.distance(momenta, single.classWeight.states[0].values) <= 1e-5)
        let (x, y) = (pair.together.network.parameters.values, single.network.parameters.values)
        #expect(StepFixture.distance(x, y) <= 1e-5)
      }
      try pair.finish(step: 4)
    }

    @Test func fewerClassesThanRanksAreRefused() throws {
      func make(_ count: Int) throws -> ShardedClassifier {
        let messages = StepMessages(
          .sharded, ranks: world.size, width: 16, classes: count, gradients: 0, statistics: 0,
          buckets: GradientBuckets(bytes: 1 << 14, type: .float32))
        return try ShardedClassifier(
          classCount: count, width: 16, capacity: 1, accumulates: false, settings: StepSettings(), messages: messages,
          communicator: world)
      }
      let one = try make(world.size)
      #expect(one.classWeight.classes == world.rank..<(world.rank + 1))
      guard world.size > 1 else { return }
      #expect(throws: ShardingError.fewerClassesThanRanks(classes: world.size - 1, ranks: world.size)) {
        _ = try make(world.size - 1)
      }
    }
  }
}
