import Distributed
import MPI
import NeuralNetwork
import Testing
import Training
import VectorKernels

extension RankTests {
  /// What is frozen stays to the bit on all ranks and is not sent; what is trained moves as on one rank.
  @Suite struct FreezingTests {
    let world = RankTests.world
    private let fixture = StepFixture(classes: 23)

    private static let prefix = NetworkKind.mobilefacenet.trainedNames.filter {
      $0.hasPrefix("layers.0.") || $0.hasPrefix("layers.1.") || $0.hasPrefix("layers.5.")
    }
    private static let backbone = NetworkKind.mobilefacenet.trainedNames

    private func settings(_ classifier: ClassifierKind, sampled: Bool = false, _ optimizer: Optimizer = .sgd(SGD()))
      -> StepSettings
    {
      var settings = StepFixture.settings
      settings.classifier = classifier
      settings.sampling = sampled ? ClassSampling(rate: 0.5, seed: 3) : nil
      settings.logitScale = .fixed(8)
      settings.optimizer = optimizer
      settings.weightDecay = 0.01
      return settings
    }

    private func makeStep(
      _ kind: NetworkKind, frozen: [String], _ settings: StepSettings, capacity: Int, on communicator: Communicator
    ) throws -> TrainingStep {
      try fixture.makeStep(settings, kind, frozen: frozen, capacity: capacity, on: communicator)
    }

    private func train(_ step: TrainingStep, _ mine: Range<Int>, of count: Int, index: Int) throws -> Double {
      try fixture.train(step, [mine], of: count, index: index, rate: 0.01)
    }

    private func bits(_ parameters: [Parameter]) -> [String: [UInt32]] {
      Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.value.map(\.bitPattern)) })
    }

    @Test(
      arguments: [(ClassifierKind.replicated, false), (.sharded, false), (.sharded, true)],
      [Self.backbone, Self.prefix])
    func whatIsFrozenStays(_ classifier: (ClassifierKind, sampled: Bool), frozen: [String]) throws {
      for optimizer in [Optimizer.sgd(SGD(momentum: 0.9)), .muon(Muon())] {
        let step = try makeStep(
          .mobilefacenet, frozen: frozen, settings(classifier.0, sampled: classifier.sampled, optimizer), capacity: 3,
          on: world)
        let (before, statistics) = (bits(step.network.parameters.parameters), bits(step.network.statistics.parameters))
        step.classWeight.materialize()
        let rows = step.classWeight.value.map(\.bitPattern)
        let mine = (3 * world.rank)..<(3 * world.rank + 3)
        for index in 0..<3 { _ = try train(step, mine, of: 3 * world.size, index: index) }
        let names = Set(frozen)
        for (name, now) in bits(step.network.parameters.parameters) {
          #expect((now == before[name]) == names.contains(name), "\(name)")
        }
        for (name, now) in bits(step.network.statistics.parameters) {
          let weight = name.split(separator: ".").dropLast().joined(separator: ".") + ".weight"
          #expect((now == statistics[name]) == names.contains(weight), "\(name)")
        }
        step.classWeight.materialize()
        #expect(step.classWeight.value.map(\.bitPattern) != rows)
        try ReplicaCheck(step.replicas).run(world, step: 0)
        #expect(step.network.isFixed == (names.count == Self.backbone.count))
      }
    }

    /// A network without batch normalization, so that the ranks' batches do not count.
    @Test(
      arguments: ClassifierKind.allCases,
      [
        NetworkKind.spherenet20.trainedNames,
        NetworkKind.spherenet20.trainedNames.filter { $0.contains("1_1") || $0.contains("2_") },
      ])
    func ranksEqualOneRank(classifier: ClassifierKind, frozen: [String]) throws {
      let count = 2 * world.size + 1
      let pair = try StepPair(fixture, on: world, mine: 3, count: count) {
        try makeStep(.spherenet20, frozen: frozen, settings(classifier), capacity: $1, on: $0)
      } makeSingle: {
        try makeStep(.spherenet20, frozen: frozen, settings(.replicated), capacity: $1, on: $0)
      }
      let mine = Share.range(of: count, world.rank, world.size)
      for index in 0..<4 {
        let loss = try pair.train(mine, of: count, index: index)
        guard let single = loss.single else { continue }
        #expect(abs(loss.together - single) <= 1e-5 * single, "step \(index) on \(world.size) ranks: \(loss)")
      }
      if let single = pair.single {
        let (x, y) = (pair.together.network.parameters.values, single.network.parameters.values)
        #expect(StepFixture.distance(x, y) < 1e-5)
      }
      try pair.finish(step: 3)
    }

    /// What travels is what the formulas say of what is trained.
    @Test(arguments: ClassifierKind.allCases, [Self.backbone, Self.prefix])
    func messages(classifier: ClassifierKind, frozen: [String]) throws {
      let step = try makeStep(.mobilefacenet, frozen: frozen, settings(classifier), capacity: 2, on: world)
      let store = step.network.parameters
      let trained = store.parameters.filter { !frozen.contains($0.name) }
      #expect(step.messages.gradients == trained.reduce(0) { $0 + ($1.count + 15) / 16 * 16 })
      #expect(step.messages.gradients < store.values.count)
      #expect((step.messages.statistics == 0) == (frozen.count == Self.backbone.count))
      #expect(step.messages.statistics < step.network.statistics.values.count)
      let mine = (2 * world.rank)..<(2 * world.rank + 2)
      _ = try train(step, mine, of: 2 * world.size, index: 0)
      let sent = try step.sentBytes.map { try world.allReduce($0) }
      let (p, messages) = (world.size, step.messages)
      let classWeight = classifier == .replicated ? fixture.classes * fixture.width : 0
      #expect(sent == [messages.gradients, classWeight, messages.statistics, 0].map { 2 * (p - 1) * 4 * $0 })
      let names = Set(messages.messages(samples: 2 * p).map(\.name))
      if frozen.count == Self.backbone.count {
        #expect(names.isDisjoint(with: [.network, .embeddingGradients, .directions, .statistics]))
      } else if p > 1 {
        #expect(names.contains(.network) && names.contains(.statistics))
      }
    }

    /// While the head is trained the network is as if frozen, statistics too; then it begins as a run from there would.
    @Test(arguments: [Optimizer.sgd(SGD()), .muon(Muon())]) func head(_ optimizer: Optimizer) throws {
      var settings = settings(.replicated, optimizer)
      settings.gradientClipping = 5
      let frozen = try makeStep(.mobilefacenet, frozen: Self.backbone, settings, capacity: 3, on: world)
      settings.headSteps = 3
      let step = try makeStep(.mobilefacenet, frozen: [], settings, capacity: 3, on: world)
      let before = bits(step.network.parameters.parameters + step.network.statistics.parameters)
      let mine = (3 * world.rank)..<(3 * world.rank + 3)
      for index in 0..<3 {
        let a = try train(step, mine, of: 3 * world.size, index: index)
        let b = try train(frozen, mine, of: 3 * world.size, index: index)
        #expect(a == b)
      }
      #expect(bits(step.network.parameters.parameters + step.network.statistics.parameters) == before)
      #expect(step.network.parameters.states.allSatisfy { $0.values.allSatisfy { $0 == 0 } })
      #expect(step.sentBytes[0] == 0 && step.sentBytes[2] == 0)
      _ = try train(step, mine, of: 3 * world.size, index: 3)
      let after = bits(step.network.parameters.parameters + step.network.statistics.parameters)
      #expect(after.allSatisfy { $1 != before[$0] })
      #expect((step.sentBytes[0] > 0) == (world.size > 1))
    }
  }
}
