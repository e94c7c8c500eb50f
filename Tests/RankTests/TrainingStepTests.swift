import Distributed
import MPI
import NeuralNetwork
import Planning
import Testing
import Training
import VectorKernels

extension RankTests {
  /// P ranks train what one rank trains on the same global batch.
  @Suite struct TrainingStepTests {
    let world = RankTests.world
    private let fixture = StepFixture()

    private func settings(_ scale: LogitScale) -> StepSettings {
      var settings = StepFixture.settings
      settings.logitScale = scale
      return settings
    }

    private func makeStep(
      _ kind: NetworkKind = .spherenet20, capacity: Int, accumulates: Bool = false, _ settings: StepSettings,
      on communicator: Communicator? = nil
    ) throws -> TrainingStep {
      try fixture.makeStep(
        settings, kind, capacity: capacity, accumulates: accumulates, on: communicator ?? world)
    }

    /// All ranks together and rank 0 alone.
    private func makePair(
      _ kind: NetworkKind = .spherenet20, mine: Int, count: Int, _ settings: StepSettings
    ) throws -> StepPair {
      try StepPair(fixture, on: world, mine: mine, count: count) {
        try makeStep(kind, capacity: $1, settings, on: $0)
      }
    }

    /// All weights together agree to `tolerance`, and each tensor's update to 1 %.
    private func expectEqualWeights(_ a: TrainingStep, _ b: TrainingStep, tolerance: Double) throws {
      a.classWeight.materialize()
      b.classWeight.materialize()
      let start = try makeStep(capacity: 1, settings(.learned(multiplier: 2)), on: b.communicator)
      let isSphereNet = a.network.name == start.network.name
      start.classWeight.materialize()
      func all(_ step: TrainingStep) -> [Parameter] {
        step.network.parameters.parameters + [step.classWeight.parameter]
      }
      func distance(_ x: Parameter, _ y: Parameter) -> Double {
        zip(x.value, y.value).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
      }
      var (difference, size) = (0.0, 0.0)
      for (index, (x, y)) in zip(all(a), all(b)).enumerated() {
        difference += distance(x, y)
        size += y.value.reduce(0) { $0 + Double($1) * Double($1) }
        guard isSphereNet else { continue }
        let update = distance(all(start)[index], y)
        #expect(distance(x, y) <= 1e-4 * update + 1e-14, "\(x.name): \(distance(x, y)) of an update of \(update)")
      }
      #expect((difference / size).squareRoot() <= tolerance)
    }

    @Test(arguments: [(0, LogitScale.learned(multiplier: 2)), (1, .fixed(2)), (2, .learned(multiplier: 1))])
    func ranksEqualOneRank(moreThanTwoEach extra: Int, scale: LogitScale) throws {
      let count = 2 * world.size + extra
      let pair = try makePair(mine: 4, count: count, settings(scale))
      let mine = Share.range(of: count, world.rank, world.size)
      for index in 0..<5 {
        let loss = try pair.train(mine, of: count, index: index)
        guard let single = loss.single else { continue }
        #expect(abs(loss.together - single) <= 1e-5 * single, "step \(index) on \(world.size) ranks: \(loss)")
      }
      if let single = pair.single { try expectEqualWeights(pair.together, single, tolerance: 1e-5) }
      try pair.finish(step: 4)
    }

    /// Ranks divide the matrices, and all move as on one rank.
    @Test(arguments: [nil, 0.5]) func matricesOfRanksEqualThoseOfOneRank(clipping: Double?) throws {
      var settings = settings(.learned(multiplier: 2))
      settings.optimizer = .muon(Muon(adam: AdamW(epsilon: 0.01)))
      settings.gradientClipping = clipping
      let count = 3 * world.size
      let pair = try makePair(mine: 3, count: count, settings)
      for index in 0..<3 {
        let mine = (3 * world.rank)..<(3 * world.rank + 3)
        let loss = try pair.train(mine, of: count, index: index, rate: 0.0005)
        guard let single = loss.single else { continue }
        #expect(abs(loss.together - single) <= 1e-4 * single, "step \(index) on \(world.size) ranks: \(loss)")
      }
      if let single = pair.single {
        try expectEqualWeights(pair.together, single, tolerance: 1e-4)
        for (store, other) in zip(pair.together.network.parameters.states, single.network.parameters.states) {
          #expect(StepFixture.distance(store.values, other.values) <= 1e-2)
          #expect(other.values.contains { $0 != 0 })
        }
      }
      try pair.finish(step: 2)
    }

    @Test func accumulationEqualsALargerBatch() throws {
      let count = 6 * world.size
      let parted = try makeStep(capacity: 2, accumulates: true, settings(.learned(multiplier: 2)))
      let whole = try makeStep(capacity: 6, settings(.learned(multiplier: 2)))
      let start = 6 * world.rank
      for index in 0..<3 {
        let parts = MicroBatch.division(of: 6, parts: 3).map { ($0.lowerBound + start)..<($0.upperBound + start) }
        #expect(parts.count == 3)
        let a = try fixture.train(parted, parts, of: count, index: index)
        let b = try fixture.train(whole, [start..<(start + 6)], of: count, index: index)
        #expect(abs(a - b) <= 1e-5 * b)
      }
      try expectEqualWeights(parted, whole, tolerance: 1e-5)
    }

    @Test func clippingEqualsOneRank() throws {
      var clipped = settings(.learned(multiplier: 2))
      clipped.gradientClipping = 0.5
      let count = 3 * world.size
      let pair = try makePair(mine: 3, count: count, clipped)
      let free = try pair.single.map {
        try makeStep(capacity: count, settings(.learned(multiplier: 2)), on: $0.communicator)
      }
      for index in 0..<3 {
        _ = try pair.train((3 * world.rank)..<(3 * world.rank + 3), of: count, index: index)
        if let free { _ = try fixture.train(free, [0..<count], of: count, index: index) }
      }
      if let single = pair.single, let free {
        try expectEqualWeights(pair.together, single, tolerance: 1e-5)
        // A clip that changes nothing would make this test worthless.
        let moved = zip(free.network.parameters.values, single.network.parameters.values).contains { $0 != $1 }
        #expect(moved)
      }
      try pair.finish(step: 2)
    }

    @Test(arguments: [
      (GradientType.float32, Optimizer.sgd(SGD())), (.bfloat16, .sgd(SGD())), (.float32, .muon(Muon())),
    ])
    func replicasStayIdenticalForFiftySteps(type: GradientType, optimizer: Optimizer) throws {
      var settings = settings(.learned(multiplier: 2))
      (settings.gradientType, settings.optimizer) = (type, optimizer)
      let step = try makeStep(.mobilefacenet, capacity: 3, settings)
      // One rank has no other to be compared with: the start of a second run takes its place.
      let twin = world.size == 1 ? try makeStep(.mobilefacenet, capacity: 3, settings) : nil
      let start = Array(step.network.parameters.values)
      let count = 3 * world.size
      func train(_ step: TrainingStep, _ index: Int) throws {
        let mine = (3 * world.rank)..<(3 * world.rank + 3)
        _ = try fixture.train(step, [mine], of: count, index: index, rate: 0.05)
      }
      for index in 0..<50 {
        try train(step, index)
        guard let twin, index < 5 else { continue }
        try train(twin, index)
        for (one, other) in zip(step.replicas, twin.replicas) {
          #expect(zip(one.values, other.values).allSatisfy { $0.bitPattern == $1.bitPattern })
        }
      }
      step.classWeight.materialize()
      try ReplicaCheck(step.replicas).run(world, step: 49)
      #expect(step.replicas.allSatisfy { $0.values.allSatisfy { $0.isFinite } })
      // Weights that do not move are alike for nothing.
      #expect(zip(start, step.network.parameters.values).filter { $0 != $1 }.count > start.count / 2)
      withExtendedLifetime((step, twin)) {}
    }

    /// Buckets are a matter of time only: the weights have the same bits. bfloat16 is another sum, but a near one.
    @Test func bucketsAndTypesOfGradients() throws {
      var weights: [[Float]] = []
      var losses: [Double] = []
      for (type, bucketBytes) in [
        (GradientType.float32, 1 << 14), (.float32, 1 << 26), (.bfloat16, 3000), (.bfloat16, 1 << 26),
      ] {
        var settings = settings(.learned(multiplier: 2))
        (settings.gradientType, settings.bucketBytes) = (type, bucketBytes)
        let step = try makeStep(capacity: 3, settings)
        for index in 0..<4 {
          let mine = (3 * world.rank)..<(3 * world.rank + 3)
          let loss = try fixture.train(step, [mine], of: 3 * world.size, index: index)
          if index == 3 { losses.append(loss) }
        }
        step.classWeight.materialize()
        weights.append(Array(step.network.parameters.values) + Array(step.classWeight.value))
      }
      #expect(weights[0] == weights[1] && weights[2] == weights[3])
      // With one rank nothing travels.
      #expect((weights[0] == weights[2]) == (world.size == 1))
      #expect(abs(losses[2] - losses[0]) <= 1e-2 * losses[0])
    }

    @Test func aReplicaThatDiffersIsNamed() throws {
      let step = try makeStep(.mobilefacenet, capacity: 2, settings(.learned(multiplier: 2)))
      step.classWeight.materialize()
      let statistics = step.network.statistics.parameters[3]
      if world.rank == world.size - 1 && world.size > 1 { statistics.value[5] = statistics.value[5].nextUp }
      let check = ReplicaCheck(step.replicas)
      var failure: ReplicaCheck.Failure?
      do { try check.run(world, step: 7) } catch let error as ReplicaCheck.Failure { failure = error }
      let expected =
        world.size == 1
        ? nil : ReplicaCheck.Failure(step: 7, parameter: statistics.name, ranks: [world.size - 1])
      #expect(failure == expected)
    }

    /// The last batch of an epoch may leave ranks without samples: they take part with zeros.
    @Test func ranksWithoutSamples() throws {
      let pair = try makePair(.mobilefacenet, mine: 2, count: 2, settings(.learned(multiplier: 2)))
      for index in 0..<3 {
        let loss = try pair.train(world.rank == 0 ? 0..<2 : 2..<2, of: 2, index: index)
        if let single = loss.single { #expect(abs(loss.together - single) <= 1e-4 * single) }
      }
      if let single = pair.single {
        try expectEqualWeights(pair.together, single, tolerance: 1e-3)
        for (a, b) in zip(pair.together.network.statistics.values, single.network.statistics.values) {
          #expect(abs(a - b) <= 1e-3 * max(abs(b), 1))
        }
      }
      try pair.finish(step: 2)
    }

    @Test func ranksThatDisagreeAreNamed() throws {
      let values = [("batch", "32"), ("seed", world.rank == world.size - 1 ? "2" : "1")]
      var failure: RankAgreement.Failure?
      do { try RankAgreement.check(values, world) } catch let error as RankAgreement.Failure { failure = error }
      if world.size == 1 {
        #expect(failure == nil)
      } else {
        let text = try #require(failure).description
        #expect(text.contains("seed: '1' on rank 0") && text.contains("'2' on rank \(world.size - 1)"))
        #expect(!text.contains("batch"))
      }
    }

    /// One rank has loaded another oneDNN: all refuse, with the same words.
    @Test func ranksWithAnotherLibraryAreRefused() throws {
      var program = try ProgramIdentity.current()
      try program.agree(world)
      if world.rank == world.size - 1 {
        program.libraries = program.libraries.map {
          $0.name == "oneDNN" ? .init(name: $0.name, loaded: "0.9", headers: nil) : $0
        }
      }
      var text = ""
      do { try program.agree(world) } catch let error as RankAgreement.Failure { text = error.description }
      #expect(text.isEmpty == (world.size == 1))
      #expect(text.isEmpty || text.contains("'0.9' on rank \(world.size - 1)") && text.contains("one container image"))
      #expect(try Set(world.allGather(bytes: Array(text.utf8))).count == 1)
    }
  }
}
