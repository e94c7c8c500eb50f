import Distributed
import Foundation
import MPI
import NeuralNetwork
import Testing
import Training

extension RankTests {
  /// Whole networks train as PyTorch does in float64, and mistakes as small as another program's are seen.
  @Suite struct RecordedTrainingTests {
    private let world = RankTests.world
    private static let runs: [(kind: NetworkKind, record: RecordedTraining.Run, isAdamW: Bool)] = [
      (.mobilefacenet, RecordedTraining.mobilefacenet, false), (.iresnet18, RecordedTraining.iresnet18, false),
      (.mobilefacenet, RecordedTraining.mobilefacenetAdamW, true),
      (.mobilefacenet, RecordedTraining.mobilefacenetFrozenNorms, false),
      (.iresnet18, RecordedTraining.iresnet18FrozenPart, false),
    ]

    /// What a wrong program would do.
    private enum Mistake: CaseIterable {
      case margin, momentum, decay, biasedVariance
    }

    /// Relative errors.
    private struct Errors {
      var loss: Double
      /// Of the tensors' updates: that of the middle one, and the worst among the running statistics.
      var median: Double
      var statistics: Double

      /// Rounding stays below; each planted mistake goes beyond one of them.
      var arePlausible: Bool { loss < 5e-5 && median < 6e-4 && statistics < 2e-4 }
    }

    /// Multiples of 2^-32 in [0, 1), as the recipe makes them.
    private func hashed(_ name: String, _ body: (Int, Double) -> Void, count: Int) {
      let seed = crc32(name)
      for index in 0..<count {
        var x = UInt32(truncatingIfNeeded: index) &* 2_654_435_761 &+ seed
        x = (x ^ (x >> 16)) &* 0x7FEB_352D
        x = (x ^ (x >> 15)) &* 0x846C_A68B
        body(index, Double(x ^ (x >> 16)) / 4_294_967_296)
      }
    }

    /// zlib's.
    private func crc32(_ text: String) -> UInt32 {
      ~text.utf8.reduce(~UInt32(0)) { sum, byte in
        (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in (value >> 1) ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
      }
    }

    private func fill(_ values: UnsafeMutableBufferPointer<Float>, _ name: String, _ low: Double, _ high: Double) {
      hashed(name, { values[$0] = Float(low + (high - low) * $1) }, count: values.count)
    }

    private func fill(_ parameter: Parameter, statistics: Set<String>, trained: Set<String>) {
      let name = parameter.name
      let (low, high): (Double, Double) =
        if parameter.shape.count > 1 {
          { (-$0, $0) }((3 / Double(parameter.shape.dropFirst().reduce(1, *))).squareRoot())
        } else if name.hasSuffix("bias") || name.hasSuffix("running_mean") {
          (-0.125, 0.125)
        } else if name.hasSuffix("running_var") || statistics.contains(name.dropLast("weight".count) + "running_var") {
          trained.contains(name) || name.hasSuffix("running_var") ? (0.5, 1.5) : (1, 1)
        } else {
          (0.0625, 0.5)
        }
      fill(parameter.value, name, low, high)
    }

    private func errors(
      _ run: (kind: NetworkKind, record: RecordedTraining.Run, isAdamW: Bool), _ mistake: Mistake?,
      _ alone: Communicator
    ) throws -> Errors {
      typealias Record = RecordedTraining
      var settings = StepSettings()
      settings.logitScale = .learned(multiplier: Record.multiplier)
      settings.weightDecay = mistake == .decay ? 0 : Record.weightDecay
      settings.optimizer =
        run.isAdamW
        ? .adamW(AdamW(beta1: mistake == .momentum ? 0.75 : Record.beta1, beta2: Record.beta2, epsilon: Record.epsilon))
        : .sgd(SGD(momentum: mistake == .momentum ? 0.85 : 0.9))
      settings.margin = .cosine(mistake == .margin ? 0.34 : 0.35)
      let record = run.record
      let adaptation = try Adaptation(run.kind, freeze: record.frozen)
      let network = run.kind.makeNetwork(
        embeddingWidth: Record.width, inputSide: Record.side, frozen: adaptation.frozen)
      let step = try TrainingStep(
        network, classCount: Record.classes, capacity: Record.batch, settings: settings, communicator: alone)
      let tensors = network.parameters.parameters + network.statistics.parameters
      let statistics = Set(network.statistics.parameters.map(\.name))
      for parameter in tensors { fill(parameter, statistics: statistics, trained: Set(run.kind.trainedNames)) }
      fill(step.classWeight.value, "classWeight", -0.25, 0.25)
      let start = Dictionary(
        uniqueKeysWithValues: (tensors + [step.classWeight.parameter]).map { ($0.name, Array($0.value)) })
      try step.synchronize()

      let last = network.statistics.parameters.last { $0.name.hasSuffix("running_var") }!
      var losses: [Double] = []
      for index in 0..<Record.steps {
        let before = Array(last.value)
        losses.append(try train(step, index))
        if mistake == .biasedVariance {
          // The variance of 6 values over 6 instead of 5.
          for i in before.indices { last.value[i] -= (last.value[i] - 0.9 * before[i]) / Float(Record.batch) }
        }
      }
      step.classWeight.materialize()

      let lines = record.updates.split(separator: "\n").map { $0.split(separator: "\t") }
      let ends = Dictionary(uniqueKeysWithValues: (tensors + [step.classWeight.parameter]).map { ($0.name, $0.value) })
      let found = try lines.map { line in
        let name = String(line[0])
        return (name, error(of: try #require(ends[name]), from: start[name]!, line))
      }
      let sorted = found.map(\.1).sorted()
      // All that is trained is recorded, with the statistics of what is not frozen; and nothing else moves.
      let moving = Set(network.layers.filter(\.movesStatistics).flatMap(\.statistics).map(\.name))
      #expect(sorted.count == tensors.count { $0.isTrained || moving.contains($0.name) } + 1)
      #expect(Set(found.map(\.0)).isSuperset(of: ends.keys.filter { Array(ends[$0]!) != start[$0]! }))
      return Errors(
        loss: zip(losses, record.losses).map { abs($0 - $1) / $1 }.max()!, median: sorted[sorted.count / 2],
        statistics: found.filter { statistics.contains($0.0) }.map(\.1).max() ?? 0)
    }

    private func train(_ step: TrainingStep, _ index: Int) throws -> Double {
      typealias Record = RecordedTraining
      var images = [Float](repeating: 0, count: Record.batch * 3 * Record.side * Record.side)
      images.withUnsafeMutableBufferPointer { fill($0, "images \(index)", -1, 1) }
      let labels = Array(Record.labels[(index * Record.batch)..<((index + 1) * Record.batch)])
      return try images.withUnsafeBufferPointer { images in
        try labels.withUnsafeBufferPointer { labels in
          try step.run(
            [MicroBatch(images: images, labels: labels)], index: index, count: Record.batch,
            learningRate: Record.learningRate)
        }
      }
    }

    /// Of the update's norm and of its projection, relative to the norm.
    private func error(of end: UnsafeMutableBufferPointer<Float>, from start: [Float], _ line: [Substring]) -> Double {
      var (squares, projection) = (0.0, 0.0)
      hashed(
        "signs of \(line[0])",
        { index, value in
          let change = Double(end[index]) - Double(start[index])
          squares += change * change
          projection += value < 0.5 ? -change : change
        }, count: start.count)
      let norm = Double(line[1])!
      return max(abs(squares.squareRoot() - norm), abs(projection - Double(line[2])!)) / norm
    }

    /// On rank 0 alone: batch norms see this batch and no part of it.
    private func onOneRank(_ body: (Communicator) throws -> Void) throws {
      let alone = try world.split(color: world.rank)
      if world.rank == 0 { try body(alone) }
      try alone.free()
    }

    @Test(arguments: Self.runs.indices) func wholeNetworks(index: Int) throws {
      try onOneRank { alone in
        let errors = try errors(Self.runs[index], nil, alone)
        #expect(errors.arePlausible, "\(errors)")
      }
    }

    @Test(arguments: 0..<3) func noticesPlantedMistakes(index: Int) throws {
      try onOneRank { alone in
        for mistake in Mistake.allCases {
          let errors = try errors(Self.runs[index], mistake, alone)
          #expect(!errors.arePlausible, "\(mistake): \(errors)")
        }
      }
    }
  }
}
