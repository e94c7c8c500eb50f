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
    /// oneDNN has no fast weight gradient for the last layers of smaller images.
    let side = 48

    private func settings(_ scale: LogitScale) -> StepSettings {
      var settings = StepSettings()
      settings.logitScale = scale
      settings.bucketBytes = 1 << 14
      return settings
    }

    private func makeStep(
      _ kind: NetworkKind, _ communicator: Communicator, capacity: Int, accumulates: Bool = false,
      settings: StepSettings
    ) throws -> TrainingStep {
      let network = kind.makeNetwork(embeddingWidth: 32, inputSide: side)
      network.initialize(seed: 5)
      // A rounding that carries an activation over PReLU's kink changes a gradient by far more than itself, and which
      // roundings there are depends on the processor. Slopes near 1 make such steps small.
      for parameter in network.parameters.parameters where parameter.name.hasPrefix("relu") {
        parameter.value.update(repeating: 0.9)
      }
      let step = try TrainingStep(
        network, classCount: 11, capacity: capacity, accumulates: accumulates, settings: settings,
        communicator: communicator)
      step.classWeight.initialize(seed: 5)
      try step.synchronize(classWeightNorm: 1)
      return step
    }

    /// Every rank sees all images of the global batch and takes its part.
    private func images(_ count: Int, seed: UInt64) -> (images: [Float], labels: [Int32]) {
      var images = [Float](repeating: 0, count: count * 3 * side * side)
      images.withUnsafeMutableBufferPointer {
        Initializer.normal(standardDeviation: 2).fill($0, seed: seed, name: "images")
      }
      return (images, (0..<Int32(count)).map { ($0 * 7 + Int32(truncatingIfNeeded: seed)) % 11 })
    }

    private func train(
      _ step: TrainingStep, _ parts: [Range<Int>], of batch: (images: [Float], labels: [Int32]), rate: Double
    ) throws -> Double {
      let size = batch.images.count / batch.labels.count
      return try batch.images.withUnsafeBufferPointer { images in
        try batch.labels.withUnsafeBufferPointer { labels in
          let batches = parts.map { part in
            MicroBatch(
              images: .init(rebasing: images[(part.lowerBound * size)..<(part.upperBound * size)]),
              labels: .init(rebasing: labels[part]))
          }
          let loss = try step.run(batches, index: 0, count: labels.count, learningRate: rate)
          return try step.communicator.allReduce(loss)
        }
      }
    }

    /// All weights together agree to `tolerance`, and each tensor's update to 1 %.
    private func expectEqualWeights(_ a: TrainingStep, _ b: TrainingStep, tolerance: Double) throws {
      a.classWeight.materialize()
      b.classWeight.materialize()
      let start = try makeStep(.spherenet20, b.communicator, capacity: 1, settings: settings(.learned(multiplier: 2)))
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
      let alone = try world.split(color: world.rank)
      let count = 2 * world.size + extra
      let together = try makeStep(.spherenet20, world, capacity: 4, settings: settings(scale))
      let single = try makeStep(.spherenet20, alone, capacity: count, settings: settings(scale))
      let mine = Share.range(of: count, world.rank, world.size)
      for index in 0..<10 {
        let batch = images(count, seed: UInt64(index))
        let a = try train(together, [mine], of: batch, rate: 0.001)
        let b = try train(single, [0..<count], of: batch, rate: 0.001)
        #expect(abs(a - b) <= 1e-5 * b, "step \(index): \(a) on \(world.size) ranks, \(b) on one")
      }
      try expectEqualWeights(together, single, tolerance: 1e-5)
      try alone.free()
    }

    /// Ranks divide the matrices, and all move as on one rank.
    @Test(arguments: [nil, 0.5]) func matricesOfRanksEqualThoseOfOneRank(clipping: Double?) throws {
      var settings = settings(.learned(multiplier: 2))
      settings.optimizer = .muon(Muon(adam: AdamW(epsilon: 0.01)))
      settings.gradientClipping = clipping
      let alone = try world.split(color: world.rank)
      let count = 3 * world.size
      let together = try makeStep(.spherenet20, world, capacity: 3, settings: settings)
      let single = try makeStep(.spherenet20, alone, capacity: count, settings: settings)
      for index in 0..<4 {
        let batch = images(count, seed: UInt64(index))
        let a = try train(together, [(3 * world.rank)..<(3 * world.rank + 3)], of: batch, rate: 0.0005)
        let b = try train(single, [0..<count], of: batch, rate: 0.0005)
        #expect(abs(a - b) <= 1e-4 * b, "step \(index): \(a) on \(world.size) ranks, \(b) on one")
      }
      try expectEqualWeights(together, single, tolerance: 1e-4)
      for (store, other) in zip(together.network.parameters.states, single.network.parameters.states) {
        let size = other.values.reduce(0) { $0 + Double($1) * Double($1) }
        let distance = zip(store.values, other.values).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        #expect(distance <= 1e-4 * size && size > 0)
      }
      try alone.free()
    }

    @Test func accumulationEqualsALargerBatch() throws {
      let count = 6 * world.size
      let parted = try makeStep(
        .spherenet20, world, capacity: 2, accumulates: true, settings: settings(.learned(multiplier: 2)))
      let whole = try makeStep(.spherenet20, world, capacity: 6, settings: settings(.learned(multiplier: 2)))
      let start = 6 * world.rank
      for index in 0..<3 {
        let batch = images(count, seed: UInt64(index))
        let parts = MicroBatch.division(of: 6, parts: 3).map { ($0.lowerBound + start)..<($0.upperBound + start) }
        #expect(parts.count == 3)
        let a = try train(parted, parts, of: batch, rate: 0.001)
        let b = try train(whole, [start..<(start + 6)], of: batch, rate: 0.001)
        #expect(abs(a - b) <= 1e-5 * b)
      }
      try expectEqualWeights(parted, whole, tolerance: 1e-5)
    }

    @Test func clippingEqualsOneRank() throws {
      var clipped = settings(.learned(multiplier: 2))
      clipped.gradientClipping = 0.5
      let alone = try world.split(color: world.rank)
      let count = 3 * world.size
      let together = try makeStep(.spherenet20, world, capacity: 3, settings: clipped)
      let single = try makeStep(.spherenet20, alone, capacity: count, settings: clipped)
      let free = try makeStep(.spherenet20, alone, capacity: count, settings: settings(.learned(multiplier: 2)))
      for index in 0..<3 {
        let batch = images(count, seed: UInt64(index))
        _ = try train(together, [(3 * world.rank)..<(3 * world.rank + 3)], of: batch, rate: 0.001)
        _ = try train(single, [0..<count], of: batch, rate: 0.001)
        _ = try train(free, [0..<count], of: batch, rate: 0.001)
      }
      try expectEqualWeights(together, single, tolerance: 1e-5)
      // A clip that changes nothing would make this test worthless.
      let moved = zip(free.network.parameters.values, single.network.parameters.values).contains { $0 != $1 }
      #expect(moved)
      try alone.free()
    }

    @Test(arguments: [
      (GradientType.float32, Optimizer.sgd(SGD())), (.bfloat16, .sgd(SGD())), (.float32, .muon(Muon())),
    ])
    func replicasStayIdenticalForFiftySteps(type: GradientType, optimizer: Optimizer) throws {
      var settings = settings(.learned(multiplier: 2))
      (settings.gradientType, settings.optimizer) = (type, optimizer)
      let step = try makeStep(.mobilefacenet, world, capacity: 3, settings: settings)
      // One rank has no other to be compared with: the start of a second run takes its place.
      let twin = world.size == 1 ? try makeStep(.mobilefacenet, world, capacity: 3, settings: settings) : nil
      let start = Array(step.network.parameters.values)
      let count = 3 * world.size
      func train(_ step: TrainingStep, _ index: Int) throws {
        let batch = images(count, seed: UInt64(index))
        _ = try self.train(step, [(3 * world.rank)..<(3 * world.rank + 3)], of: batch, rate: 0.05)
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
        let step = try makeStep(.spherenet20, world, capacity: 3, settings: settings)
        for index in 0..<4 {
          let batch = images(3 * world.size, seed: UInt64(index))
          let loss = try train(step, [(3 * world.rank)..<(3 * world.rank + 3)], of: batch, rate: 0.001)
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
      let step = try makeStep(.mobilefacenet, world, capacity: 2, settings: settings(.learned(multiplier: 2)))
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
      let step = try makeStep(.mobilefacenet, world, capacity: 2, settings: settings(.learned(multiplier: 2)))
      let alone = try world.split(color: world.rank)
      let single = try makeStep(.mobilefacenet, alone, capacity: 2, settings: settings(.learned(multiplier: 2)))
      for index in 0..<3 {
        let batch = images(2, seed: UInt64(index))
        let a = try train(step, world.rank == 0 ? [0..<2] : [], of: batch, rate: 0.001)
        let b = try train(single, [0..<2], of: batch, rate: 0.001)
        #expect(abs(a - b) <= 1e-4 * b)
      }
      try expectEqualWeights(step, single, tolerance: 1e-3)
      for (a, b) in zip(step.network.statistics.values, single.network.statistics.values) {
        #expect(abs(a - b) <= 1e-3 * max(abs(b), 1))
      }
      let check = ReplicaCheck(step.replicas)
      try check.run(world, step: 2)
      try alone.free()
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
