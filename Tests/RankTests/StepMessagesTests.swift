import Distributed
import Foundation
import MPI
import NeuralNetwork
import Planning
import Testing
import Training

extension RankTests {
  /// What a step hands to the MPI library is what `StepMessages` describes and `plan` prices.
  @Suite struct StepMessagesTests {
    let world = RankTests.world
    private let batchSize = 2
    private let classes = 300
    private let bucketBytes = 1 << 14

    private struct Call: Equatable {
      let routine: String
      let count: Int
      let elementBytes: Int
    }

    private func makeStep(
      _ kind: ClassifierKind, _ type: GradientType = .float32, clipping: Double? = nil, accumulates: Bool = false,
      optimizer: Optimizer = .sgd(SGD()), teacherWidth: Int? = nil
    ) throws -> TrainingStep {
      var settings = StepSettings()
      settings.classifier = kind
      settings.bucketBytes = bucketBytes
      settings.gradientType = type
      settings.gradientClipping = clipping
      settings.optimizer = optimizer
      let network = NetworkKind.mobilefacenet.makeNetwork(embeddingWidth: 32, inputSide: 48)
      let step = try TrainingStep(
        network, classCount: classes, capacity: batchSize, accumulates: accumulates, teacherWidth: teacherWidth,
        settings: settings, communicator: world)
      step.initialize(seed: 5)
      try step.synchronize(classWeightNorm: 1)
      return step
    }

    /// The calls that hand something over, in the order of a step and its agreement.
    private func record(_ step: TrainingStep, rounds: Int = 1) throws -> [Call] {
      var calls: [Call] = []
      var images = [Float](repeating: 0, count: batchSize * 3 * 48 * 48)
      images.withUnsafeMutableBufferPointer {
        Initializer.normal(standardDeviation: 2).fill($0, seed: UInt64(world.rank), name: "images")
      }
      let labels = (0..<Int32(batchSize)).map { $0 + Int32(world.rank) }
      let teacher = [Float](repeating: 0.1, count: batchSize * (step.teacherWidth ?? 0))
      LibraryTime.observe { call in
        guard call.elements > 0 else { return }
        calls.append(Call(routine: "\(call.routine)", count: call.elements, elementBytes: call.elementBytes))
      }
      defer { LibraryTime.observe(nil) }
      let loss = try images.withUnsafeBufferPointer { images in
        try labels.withUnsafeBufferPointer { labels in
          try teacher.withUnsafeBufferPointer { teacher in
            let batch = MicroBatch(images: images, labels: labels, teacher: teacher.baseAddress)
            return try step.run(
              Array(repeating: batch, count: rounds), index: 0, count: rounds * batchSize * world.size,
              learningRate: 0.001)
          }
        }
      }
      var agreement = StepAgreement()
      agreement.loss = loss
      _ = try agreement.joined(world)
      return calls
    }

    private func routine(_ way: StepMessages.Way) -> String? {
      switch way {
      case .sum, .orderedSum, .orderedScatter: nil
      case .gather: "MPI_Allgatherv"
      case .gatheredSum: "MPI_Allgather"
      case .reduction: "MPI_Allreduce"
      case .broadcast: "MPI_Bcast"
      }
    }

    /// Everything but messages between pairs of ranks, in its order.
    private func expectCollectives(_ calls: [Call], _ messages: [StepMessages.Message]) {
      let expected = messages.compactMap { message in
        routine(message.way).map { Call(routine: $0, count: message.count, elementBytes: message.elementBytes) }
      }
      #expect(calls.filter { !["MPI_Isend", "MPI_Irecv"].contains($0.routine) } == expected)
    }

    /// Messages between pairs of ranks: all together send exactly 2 (P - 1) times what each has, or half of that.
    private func expectSums(_ calls: [Call], _ messages: [StepMessages.Message]) throws {
      let sends = calls.filter { $0.routine == "MPI_Isend" }
      let sent = try world.allReduce(sends.reduce(0) { $0 + $1.count * $1.elementBytes })
      let expected = messages.reduce(0) { total, message in
        switch message.way {
        case .sum, .orderedSum: total + 2 * (world.size - 1) * message.bytes
        case .orderedScatter: total + (world.size - 1) * message.bytes
        default: total
        }
      }
      #expect(sent == expected)
    }

    @Test(arguments: ClassifierKind.allCases, GradientType.allCases)
    func areWhatTravels(kind: ClassifierKind, type: GradientType) throws {
      for (clipping, optimizer) in [(nil, Optimizer.sgd(SGD())), (0.5, .sgd(SGD())), (0.5, .muon(Muon()))] {
        let step = try makeStep(kind, type, clipping: clipping, optimizer: optimizer)
        let calls = try record(step)
        let messages = step.messages.messages(samples: batchSize * world.size)
        guard world.size > 1 else {
          // Nothing to tell anybody.
          #expect(messages.isEmpty && !calls.contains { $0.routine == "MPI_Isend" })
          continue
        }
        expectCollectives(calls, messages)
        try expectSums(calls, messages)
        // Statistics go first: before a number of the classifier, or a gradient.
        let scatter = calls.filter { $0.routine == "MPI_Isend" }.prefix(world.size - 1)
        let first = try world.allReduce(scatter.reduce(0) { $0 + $1.count * $1.elementBytes })
        #expect(first == (world.size - 1) * 4 * min(step.messages.statistics, step.messages.buckets.count))
        let start = calls.firstIndex { $0.routine == "MPI_Isend" }!
        #expect(start <= (kind == .sharded ? 1 + 2 * (world.size - 1) : 2 * (world.size - 1)))
      }
    }

    /// Two rounds: what belongs to a round is sent twice. A teacher's embeddings travel nowhere; the map to them does where
    /// there is one.
    @Test(arguments: ClassifierKind.allCases, [nil, 32, 48])
    func ofSeveralRounds(kind: ClassifierKind, teacherWidth: Int?) throws {
      let step = try makeStep(kind, accumulates: true, teacherWidth: teacherWidth)
      #expect(step.messages.teacherMap == (teacherWidth == 48 ? 48 * 32 : 0))
      let calls = try record(step, rounds: 2)
      guard world.size > 1 else {
        #expect(!calls.contains { $0.routine == "MPI_Isend" })
        return
      }
      let samples = batchSize * world.size
      func at(_ moments: StepMessages.Moment...) -> [StepMessages.Message] {
        moments.flatMap { step.messages.messages(at: $0, samples: samples) }
      }
      let round = kind == .sharded ? at(.logits, .softmax, .classifierBackward) : []
      let begin = at(.begin).map { $0.name == .sampleCounts ? $0.part(of: 2 * world.size) : $0 }
      expectCollectives(calls, begin + round + round + at(.update, .renormalize, .agreement))
      let classifier = kind == .replicated ? at(.classifierBackward) : round + round
      try expectSums(calls, at(.statistics, .backward) + classifier)
    }

    /// The bytes that `plan` prints are those of the step that it plans, on the average over the ranks.
    @Test(arguments: GradientType.allCases, [OptimizerKind.sgd, .muon])
    func areWhatAPlanPrices(type: GradientType, optimizer: OptimizerKind) throws {
      var workload = StepWorkload(.mobilefacenet)
      (workload.inputSide, workload.embedding, workload.batchSize, workload.classes) = (48, 32, batchSize, classes)
      var planner = Planner(workload)
      (planner.ranks, planner.ranksPerHost, planner.steps) = (world.size, world.size, 1)
      (planner.bucketBytes, planner.gradientType, planner.optimizer) = (bucketBytes, type, optimizer)
      let plan = try planner.run(world)
      #expect(plan.choices.count == (world.size > 1 ? 2 : 1))
      for row in plan.choices {
        let step = try makeStep(row.classifier, type, optimizer: StepSettings(optimizer).optimizer)
        let calls = try record(step)
        let sent = try world.allReduce(calls.reduce(0.0) { $0 + bytesSent($1) }) / Double(world.size)
        #expect(
          abs(row.bytesSentPerStep - sent) <= 1, "\(row.classifier): \(row.bytesSentPerStep) planned, \(sent) sent")
        #expect((sent > 0) == (world.size > 1))
      }
    }

    /// By this rank, in the call.
    private func bytesSent(_ call: Call) -> Double {
      let (n, p) = (Double(call.count * call.elementBytes), Double(world.size))
      guard world.size > 1 else { return 0 }
      return switch call.routine {
      case "MPI_Isend", "MPI_Bcast": n
      case "MPI_Allgatherv", "MPI_Allgather": n * (p - 1) / p
      case "MPI_Allreduce": n * log2(p).rounded(.up)
      default: 0
      }
    }
  }
}
