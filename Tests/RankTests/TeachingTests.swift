import Distributed
import MPI
import NeuralNetwork
import Testing
import Training
import VectorKernels

extension RankTests {
  /// Steps that learn from a teacher's embeddings too.
  @Suite struct TeachingTests {
    let world = RankTests.world
    private let fixture = StepFixture()

    struct Case: CustomStringConvertible, Sendable {
      var teacherWidth = 48
      var classifier = ClassifierKind.replicated
      var optimizer = Optimizer.sgd(SGD())
      var clipping: Double?

      var description: String {
        "\(teacherWidth), \(classifier), \(optimizer.stateNames), clipping \(clipping ?? 0)"
      }
    }

    private func makeStep(
      _ example: Case, _ communicator: Communicator, capacity: Int, accumulates: Bool = false,
      network kind: NetworkKind = .spherenet20
    ) throws -> TrainingStep {
      var settings = StepFixture.settings
      settings.logitScale = .fixed(2)
      settings.teacherWeight = 3
      settings.classifier = example.classifier
      settings.optimizer = example.optimizer
      settings.gradientClipping = example.clipping
      return try fixture.makeStep(
        settings, kind, capacity: capacity, accumulates: accumulates, teacherWidth: example.teacherWidth,
        on: communicator)
    }

    private func expectEqual(_ a: TrainingStep, _ b: TrainingStep, tolerance: Double) {
      for (x, y) in zip(a.companions + [a.network.parameters], b.companions + [b.network.parameters]) {
        #expect(StepFixture.distance(x.values, y.values) <= tolerance)
        #expect(y.values.isEmpty || y.values.contains { $0 != 0 })
      }
    }

    @Test(arguments: [
      Case(), Case(teacherWidth: 32), Case(classifier: .sharded),
      Case(optimizer: .muon(Muon(adam: AdamW(epsilon: 0.01)))),
      Case(classifier: .sharded, clipping: 0.5), Case(clipping: 0.5),
    ]) func ranksEqualOneRank(example: Case) throws {
      // The last step leaves the last rank without samples.
      let count = 3 * world.size
      let pair = try StepPair(fixture, on: world, mine: 3, count: count) {
        try makeStep(example, $0, capacity: $1)
      }
      let start = pair.together.companions.flatMap { Array($0.values) }
      #expect(start.isEmpty == (example.teacherWidth == fixture.width))
      for index in 0..<3 {
        let present = index == 2 && world.size > 1 ? count - 3 : count
        let mine = (3 * world.rank)..<(3 * world.rank + 3)
        let loss = try pair.train(mine.upperBound <= present ? mine : 0..<0, of: present, index: index)
        let cosine = try world.allReduce(pair.together.teacherCosine)
        guard let single = pair.single, let alone = loss.single else { continue }
        #expect(abs(loss.together - alone) <= 1e-4 * alone, "step \(index) on \(world.size) ranks: \(loss)")
        #expect(abs(cosine - single.teacherCosine) <= 1e-4)
      }
      let end = pair.together.companions.flatMap { Array($0.values) }
      #expect(zip(start, end).filter { $0 != $1 }.count >= start.count / 2)
      #expect(pair.together.replicas.count >= pair.together.companions.count + 2)
      if let single = pair.single { expectEqual(pair.together, single, tolerance: 1e-4) }
      try pair.finish(step: 2)
    }

    @Test func accumulationEqualsALargerBatch() throws {
      let parted = try makeStep(Case(), world, capacity: 2, accumulates: true)
      let whole = try makeStep(Case(), world, capacity: 6)
      let start = 6 * world.rank
      for index in 0..<3 {
        let parts = [0..<2, 2..<4, 4..<6].map { ($0.lowerBound + start)..<($0.upperBound + start) }
        let a = try fixture.train(parted, parts, of: 6 * world.size, index: index)
        let b = try fixture.train(whole, [start..<(start + 6)], of: 6 * world.size, index: index)
        #expect(abs(a - b) <= 1e-5 * b && abs(parted.teacherCosine - whole.teacherCosine) <= 1e-5)
      }
      expectEqual(parted, whole, tolerance: 1e-5)
    }

    /// The embeddings come nearer to a teacher that stays.
    @Test(arguments: [32, 48]) func learnsWhatTheTeacherGives(teacherWidth: Int) throws {
      var example = Case(teacherWidth: teacherWidth)
      example.optimizer = .adamW(AdamW())
      let step = try makeStep(example, world, capacity: 4, network: .mobilefacenet)
      let mine = [(4 * world.rank)..<(4 * world.rank + 4)]
      func cosine() throws -> Double {
        _ = try fixture.train(step, mine, of: 4 * world.size, index: 0, rate: 0.002)
        return try world.allReduce(step.teacherCosine)
      }
      let first = try cosine()
      var last = first
      for _ in 0..<30 { last = try cosine() }
      #expect(last > first + 0.3, "\(first) to \(last)")
    }
  }
}
