import Foundation
import NeuralNetwork
import Distributed
import Planning
import Testing

/// The model of a step, on made-up costs whose results can be worked out.
@Suite struct StepModelTests {
  /// 100 ms forward, ten chains of 10 ms backward with a bucket of gradients (1 MB) each.
  private let compute = MadeUpMeasurement.make(
    batchSize: 32, chains: 10, chainSeconds: 0.01, gradients: 1 << 18, forward: (1e-6, 1e-7), backward: (2e-6, 2e-7),
    fused: (1.5e-6, 2e-7), update: 1e-6, renormalize: 1e-8, programBytes: 100_000_000)

  private func model(_ bandwidth: Double, latency: Double = 0, classes: Int = 2048) -> StepModel {
    var model = StepModel(
      compute, LinkModel(latencySeconds: latency, bytesPerSecond: bandwidth), classes: classes, statistics: 1000)
    model.bucketBytes = 1 << 20
    return model
  }

  private func isNear(_ a: Double, _ b: Double, _ tolerance: Double = 1e-9) -> Bool { abs(a - b) <= tolerance }

  @Test func oneRankHasNothingToSend() {
    let step = model(1).estimate(.replicated, ranks: 1)
    let row: Double = 4.2e-6 + 7.9e-6 + 1e-8
    let classifier: Double = 2048 * row
    #expect(isNear(step.forward, 0.1) && isNear(step.backward, 0.1) && isNear(step.update, 0.005))
    #expect(isNear(step.classifier, classifier))
    #expect(step.communication == 0 && step.exchange == 0 && step.bytesSent == 0)
    #expect(isNear(step.seconds, 0.205 + classifier))
  }

  /// A rank of two sends half of everything, and the sum of its half: as much as the gradients weigh.
  @Test(arguments: [2, 4, 1000]) func bytesSent(ranks: Int) {
    let p = Double(ranks)
    let share: Double = 2 * (p - 1) / p
    let model = model(1e9)
    let (backbone, statistics, weight) = (Double(10 << 20), 4000.0, Double(2048 * 512 * 4))
    let replicated = model.estimate(.replicated, ranks: ranks).bytesSent
    // Six numbers of the ranks' agreement from each to all; the row factors, and the norm of all rows.
    let agreement = 48 * (p - 1)
    let factors = Double(4 * 2048 + 8)
    let all: Double = backbone + statistics + weight
    #expect(isNear(replicated, share * all + factors + agreement, 1))
    let samples: Double = 32 * p
    let embeddings: Double = share * samples * 2048
    let labels: Double = share * samples * 2
    // The softmax's maxima, and two sums for each sample.
    let reductions: Double = samples * (4 * log2(p).rounded(.up) + 16 * share)
    // Each rank's samples and sum of norms to all others.
    let numbers: Double = 16 * (p - 1)
    let sharded = model.estimate(.sharded, ranks: ranks).bytesSent
    let expected: Double = share * (backbone + statistics) + embeddings + labels + reductions
    #expect(isNear(sharded, expected + numbers + agreement, 1))
    var half = model
    half.gradientType = .bfloat16
    let saved = replicated - half.estimate(.replicated, ranks: ranks).bytesSent
    #expect(isNear(saved, share / 2 * (backbone + weight), 1))
  }

  /// A bucket of 1 MB takes 5 ms of a link, a chain 10: all but the last one travel behind the chains that follow.
  @Test func aFastLinkHidesBehindTheBackwardPass() {
    let step = model(Double(1 << 20) / 0.005).estimate(.replicated, ranks: 2)
    // The last bucket, the statistics and the row factors.
    #expect(step.communication < 0.0055 && step.communication > 0.005)
  }

  /// With everything that is sent taking far longer than the computing, the link decides.
  @Test func aSlowLinkDecides() {
    let step = model(1e6).estimate(.replicated, ranks: 2)
    let bytes = step.bytesSent
    #expect(step.seconds > bytes / 1e6 && step.seconds < bytes / 1e6 + 0.15)
    #expect(isNear(step.forward, 0.1))
  }

  /// Statistics are complete after the forward pass: where the rest has nothing to send, the whole backward pass hides
  /// them. Sent after it, they would be waited for.
  @Test func statisticsTravelBehindTheBackwardPass() {
    var model = StepModel(
      compute, LinkModel(latencySeconds: 0, bytesPerSecond: 1e8), classes: 2, statistics: 1_000_000)
    model.bucketBytes = 1 << 30
    // 4 MB at 100 MB/s are 40 ms, the backward pass 100 ms; then 10 MB of gradients, 105 ms.
    let step = model.estimate(.sharded, ranks: 2)
    #expect(step.communication > 0.104 && step.communication < 0.107)
  }

  @Test func aSlowerLinkIsNeverFaster() {
    for kind in ClassifierKind.allCases {
      let seconds = [1e10, 1e9, 1e8, 1e7, 1e6].map { model($0, latency: 1e-4).estimate(kind, ranks: 8).seconds }
      #expect(seconds == seconds.sorted())
      let latencies = [1e-6, 1e-5, 1e-4, 1e-3].map { model(1e8, latency: $0).estimate(kind, ranks: 8).seconds }
      #expect(latencies == latencies.sorted())
    }
  }

  /// Only replicated traffic grows with the classes; computing is divided among the ranks in one way or the other.
  @Test func classesAndTraffic() {
    let (few, many) = (model(1.25e8, classes: 10_000), model(1.25e8, classes: 1_000_000))
    #expect(few.estimate(.sharded, ranks: 2).bytesSent == many.estimate(.sharded, ranks: 2).bytesSent)
    #expect(many.estimate(.replicated, ranks: 2).bytesSent > 20 * few.estimate(.replicated, ranks: 2).bytesSent)
    let ratio =
      many.estimate(.replicated, ranks: 2).seconds / many.estimate(.sharded, ranks: 2).seconds
    #expect(ratio > 1.5)
  }

  /// Ranks of one host need no link, but copy themselves: nothing of it is hidden.
  @Test func ranksOfOneHost() {
    var model = model(1)
    #expect(model.estimate(.replicated, ranks: 2).seconds > 1000)
    var link = LinkModel(latencySeconds: 0, bytesPerSecond: 1)
    link.ranksPerHost = 2
    link.sharedMemoryBytesPerSecond = 1e9
    model = StepModel(compute, link, classes: 2048, statistics: 1000)
    let step = model.estimate(.replicated, ranks: 2)
    let bytes = Double((10 << 20) + 2048 * 2048 + 4000)
    #expect(isNear(step.exchange, bytes / 1e9, 1e-6))
    #expect(step.communication < 1e-3)
  }

  @Test func collectives() {
    let link = LinkModel(latencySeconds: 1e-3, bytesPerSecond: 1e6)
    #expect(isNear(link.smallReduction(1000, ranks: 8), 3 * (1e-3 + 1e-3)))
    #expect(isNear(link.allGather(8000, ranks: 8), 3e-3 + 7e-3))
    #expect(isNear(link.allGather(80_000, ranks: 8), 7 * (1e-3 + 1e-2)))
    #expect(isNear(link.exchange(8000, ranks: 8), 1e-3 + 7 * 5e-6 + 7e-3) && link.exchange(8000, ranks: 1) == 0)
    #expect(isNear(link.broadcast(1000, ranks: 2), 2e-3) && isNear(link.broadcast(1000, ranks: 5), 5e-3))
    #expect(link.broadcast(1e9, ranks: 1) == 0 && link.smallReduction(1e9, ranks: 1) == 0)
    let sum = link.sum(8000, ranks: 8, copyBytesPerSecond: .greatestFiniteMagnitude)
    #expect(isNear(sum.wire, 2 * 7e-3) && isNear(sum.latency, 2 * (1e-3 + 7 * 5e-6)) && isNear(sum.processor, 0))
  }
}
