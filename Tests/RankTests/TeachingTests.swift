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
    private static let (side, classes, width) = (48, 11, 32)

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
      var settings = StepSettings()
      settings.logitScale = .fixed(2)
      settings.bucketBytes = 1 << 14
      settings.teacherWeight = 3
      settings.classifier = example.classifier
      settings.optimizer = example.optimizer
      settings.gradientClipping = example.clipping
      let network = kind.makeNetwork(embeddingWidth: Self.width, inputSide: Self.side)
      let step = try TrainingStep(
        network, classCount: Self.classes, capacity: capacity, accumulates: accumulates,
        teacherWidth: example.teacherWidth, settings: settings, communicator: communicator)
      step.initialize(seed: 5)
      // Slopes near 1 make a rounding that carries an activation over PReLU's kink small.
      for parameter in network.parameters.parameters where parameter.name.hasPrefix("relu") {
        parameter.value.update(repeating: 0.9)
      }
      try step.synchronize(classWeightNorm: 1)
      return step
    }

    /// A step on `parts` of a global batch that every rank makes for itself; the loss and the mean cosine of all ranks.
    private func train(_ step: TrainingStep, _ parts: [Range<Int>], of count: Int, index: Int, rate: Double = 0.001)
      throws -> (loss: Double, cosine: Double)
    {
      func random(_ count: Int, _ name: String, _ deviation: Float) -> [Float] {
        var values = [Float](repeating: 0, count: count)
        values.withUnsafeMutableBufferPointer {
          Initializer.normal(standardDeviation: deviation).fill($0, seed: UInt64(index), name: name)
        }
        return values
      }
      let (size, width) = (3 * Self.side * Self.side, step.teacherWidth!)
      let images = random(count * size, "images", 2)
      let labels = (0..<Int32(count)).map { ($0 * 7 + Int32(index)) % Int32(Self.classes) }
      var teacher = random(count * width, "teacher", 1)
      for row in 0..<count {
        let range = (row * width)..<((row + 1) * width)
        let length = teacher[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
        for k in range { teacher[k] /= length }
      }
      return try images.withUnsafeBufferPointer { images in
        try labels.withUnsafeBufferPointer { labels in
          try teacher.withUnsafeBufferPointer { teacher in
            let batches = parts.map { part in
              MicroBatch(
                images: .init(rebasing: images[(part.lowerBound * size)..<(part.upperBound * size)]),
                labels: .init(rebasing: labels[part]), teacher: teacher.baseAddress! + part.lowerBound * width)
            }
            let loss = try step.run(batches, index: index, count: count, learningRate: rate)
            return (
              loss: try step.communicator.allReduce(loss), cosine: try step.communicator.allReduce(step.teacherCosine)
            )
          }
        }
      }
    }

    private func expectEqual(_ a: TrainingStep, _ b: TrainingStep, tolerance: Double) {
      for (x, y) in zip(a.companions + [a.network.parameters], b.companions + [b.network.parameters]) {
        let difference = zip(x.values, y.values).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        let size = y.values.reduce(0) { $0 + Double($1) * Double($1) }
        #expect(difference <= tolerance * tolerance * size && (size > 0 || y.values.isEmpty))
      }
    }

    @Test(arguments: [
      Case(), Case(teacherWidth: 32), Case(classifier: .sharded),
      Case(optimizer: .muon(Muon(adam: AdamW(epsilon: 0.01)))),
      Case(classifier: .sharded, clipping: 0.5), Case(clipping: 0.5),
    ]) func ranksEqualOneRank(example: Case) throws {
      let alone = try world.split(color: world.rank)
      // The last step leaves the last rank without samples.
      let count = 3 * world.size
      let together = try makeStep(example, world, capacity: 3)
      let single = try makeStep(example, alone, capacity: count)
      let start = single.companions.flatMap { Array($0.values) }
      #expect(start.isEmpty == (example.teacherWidth == Self.width))
      for index in 0..<3 {
        let present = index == 2 && world.size > 1 ? count - 3 : count
        let mine = (3 * world.rank)..<(3 * world.rank + 3)
        let a = try train(together, mine.upperBound <= present ? [mine] : [], of: present, index: index)
        let b = try train(single, [0..<present], of: present, index: index)
        #expect(abs(a.loss - b.loss) <= 1e-4 * b.loss, "step \(index): \(a) on \(world.size) ranks, \(b) on one")
        #expect(abs(a.cosine - b.cosine) <= 1e-4)
      }
      expectEqual(together, single, tolerance: 1e-4)
      let moved = zip(start, single.companions.flatMap { Array($0.values) }).filter { $0 != $1 }.count
      #expect(moved >= start.count / 2)
      together.classWeight.materialize()
      try ReplicaCheck(together.replicas).run(world, step: 2)
      #expect(together.replicas.count >= single.companions.count + 2)
      try alone.free()
    }

    @Test func accumulationEqualsALargerBatch() throws {
      let parted = try makeStep(Case(), world, capacity: 2, accumulates: true)
      let whole = try makeStep(Case(), world, capacity: 6)
      let start = 6 * world.rank
      for index in 0..<3 {
        let parts = [0..<2, 2..<4, 4..<6].map { ($0.lowerBound + start)..<($0.upperBound + start) }
        let a = try train(parted, parts, of: 6 * world.size, index: index)
        let b = try train(whole, [start..<(start + 6)], of: 6 * world.size, index: index)
        #expect(abs(a.loss - b.loss) <= 1e-5 * b.loss && abs(a.cosine - b.cosine) <= 1e-5)
      }
      expectEqual(parted, whole, tolerance: 1e-5)
    }

    /// The embeddings come nearer to a teacher that stays.
    @Test(arguments: [32, 48]) func learnsWhatTheTeacherGives(teacherWidth: Int) throws {
      var example = Case(teacherWidth: teacherWidth)
      example.optimizer = .adamW(AdamW())
      let step = try makeStep(example, world, capacity: 4, network: .mobilefacenet)
      let mine = [(4 * world.rank)..<(4 * world.rank + 4)]
      let first = try train(step, mine, of: 4 * world.size, index: 0, rate: 0.002)
      var last = first
      for _ in 0..<30 { last = try train(step, mine, of: 4 * world.size, index: 0, rate: 0.002) }
      #expect(last.cosine > first.cosine + 0.3, "\(first) to \(last)")
    }
  }
}
