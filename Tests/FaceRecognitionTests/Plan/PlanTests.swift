import Files
import Foundation
import NeuralNetwork
import Planning
import Testing

/// Which classifier is recommended, and what the plan shows.
@Suite struct PlanTests {
  private func plan(ranks: Int, classes: Int = 100_000, bandwidth: Double = 1.25e8, memoryLimit: Int? = nil) -> Plan {
    let compute = MadeUpMeasurement.make(
      batchSize: 8, chains: 1, chainSeconds: 0.2, gradients: 1_000_000, forward: (1e-7, 1e-8), backward: (2e-7, 2e-8),
      fused: (2e-7, 2e-8), update: 1e-7, renormalize: 1e-9, copy: 1e10, programBytes: 50_000_000)
    let model = StepModel(
      compute, LinkModel(latencySeconds: 5e-5, bytesPerSecond: bandwidth), classes: classes, statistics: 5000)
    let network = NetworkFootprint(.mobilefacenet, embeddingWidth: 512, inputSide: 48, optimizer: .sgd(SGD()), batch: 8)
    return Plan(model, network, ranks: ranks, memoryLimit: memoryLimit)
  }

  @Test func theFasterOne() {
    let slow = plan(ranks: 2).recommendation
    #expect(slow.classifier == .sharded && slow.reason.hasPrefix("It is faster"))
    // Few classes and an endless link: nothing to gain.
    let fast = plan(ranks: 2, classes: 100, bandwidth: 1e12).recommendation
    #expect(fast.classifier == .replicated)
    #expect(plan(ranks: 1).recommendation.classifier == .replicated)
  }

  @Test func theOneThatFits() throws {
    let all = plan(ranks: 4)
    let (replicated, sharded) = (all.choices[0].memoryBytes, all.choices[1].memoryBytes)
    #expect(sharded < replicated / 2)
    let one = plan(ranks: 4, memoryLimit: (sharded + replicated) / 2).recommendation
    #expect(one.classifier == .sharded && one.reason.hasPrefix("Only sharded fits into"))
    let none = plan(ranks: 4, memoryLimit: sharded / 2).recommendation
    #expect(none.classifier == .sharded && none.reason.hasPrefix("Neither fits into"))
    let both = plan(ranks: 4, memoryLimit: 2 * replicated).recommendation
    #expect(both.reason.hasPrefix("It is faster"))
  }

  @Test func tableAndText() throws {
    let plan = plan(ranks: 4)
    #expect(plan.table.count == 21)
    #expect(plan.table.filter { $0.ranks == 4 }.map(\.secondsPerStep) == plan.choices.map(\.secondsPerStep))
    // Of the class weight a rank of many holds ever less.
    let sharded = plan.table.filter { $0.classifier == .sharded }.map { row in
      row.memory.parts.first { $0.name.hasPrefix("class weight") }!.bytes - row.ranks * 8 * (4 * 512 + 4) * 4
    }
    #expect(sharded[0] > sharded[1] && sharded[1] > sharded[2])
    let text = plan.text
    #expect(text.contains("mobilefacenet, input 48, embedding 512, 100000 classes, 8 images and 1 threads a rank"))
    #expect(text.contains(plan.recommendation.reason))
    let lines = text.split(separator: "\n").map(String.init)
    let table = lines.drop { !$0.hasPrefix("ranks ") }
    #expect(table.count == 22 && Set(table.map(\.count)).count == 1)
    let json = try #require(JSONSerialization.jsonObject(with: JSONText.line(plan)) as? [String: Any])
    #expect((json["table"] as? [Any])?.count == 21)
  }
}
