import Datasets
import Testing

@Suite struct DataOrderTests {
  private static let counts = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 60, 61, 62, 63, 97, 121]

  @Test(arguments: 1...5, [1, 2, 3, 4, 12])
  func shardsPartitionEveryEpoch(rankCount: Int, batchSize: Int) {
    for count in Self.counts {
      let order = DataOrder(sampleCount: count, batchSize: batchSize, rankCount: rankCount, seed: 3)
      let global = batchSize * rankCount
      for epoch in 0..<2 {
        var seen: [Int32] = []
        for step in 0..<order.stepsPerEpoch {
          let shards = (0..<rankCount).map { order.shard(epoch: epoch, step: step, rank: $0) }
          let all = Array(shards.joined())
          #expect(all == order.samples(epoch: epoch, step: step))
          #expect(all.count == order.globalCount(step: order.step(epoch: epoch, stepInEpoch: step)))
          #expect(shards.allSatisfy { $0.count <= order.maximumShard })
          if step < order.stepsPerEpoch - 1 { #expect(shards.allSatisfy { $0.count == batchSize }) }
          if batchSize >= 2 && count >= 2 { #expect(shards.allSatisfy { $0.count != 1 }) }
          #expect(all.count <= global + 1)
          let used = shards.map(\.count).filter { $0 > 0 }
          #expect(used.max()! - used.min()! <= 1)
          seen += all
        }
        #expect(seen == order.permutation(epoch: epoch))
        #expect(seen.sorted() == [Int32](0..<Int32(count)))
      }
    }
  }

  /// The rest of an epoch, by hand: (samples, batch, ranks) to the shards of the last step.
  @Test(arguments: [
    (10, 2, 2, [1, 1]), (9, 2, 2, [3, 2]), (11, 2, 2, [3, 0]), (20, 4, 3, [3, 3, 2]), (15, 4, 3, [3, 0, 0]),
    (17, 4, 3, [3, 2, 0]), (13, 4, 3, [5, 4, 4]), (1, 4, 3, [1, 0, 0]), (12, 4, 3, [4, 4, 4]), (3, 1, 4, [3, 0, 0, 0]),
  ])
  func lastStep(count: Int, batchSize: Int, rankCount: Int, expected: [Int]) {
    let order = DataOrder(sampleCount: count, batchSize: batchSize, rankCount: rankCount, seed: 0)
    // Two samples that would make 1 and 1 go to one rank together.
    let shards = expected == [1, 1] ? [2, 0] : expected
    #expect(order.shardSizes(stepInEpoch: order.stepsPerEpoch - 1) == shards)
    #expect(order.maximumShard == (order.stepsPerEpoch > 1 ? max(batchSize, shards[0]) : shards[0]))
  }

  @Test func stepsDoNotDependOnRanks() {
    for count in Self.counts {
      let orders = [1, 2, 3, 4, 6].map { DataOrder(sampleCount: count, batchSize: 12 / $0, rankCount: $0, seed: 9) }
      for step in 0..<orders[0].stepsPerEpoch {
        for order in orders {
          #expect(order.stepsPerEpoch == orders[0].stepsPerEpoch)
          #expect(order.samples(epoch: 1, step: step) == orders[0].samples(epoch: 1, step: step))
        }
      }
    }
  }

  @Test func orderFollowsSeedAndEpoch() {
    func order(_ seed: UInt64, _ epoch: Int) -> [Int32] {
      DataOrder(sampleCount: 100, batchSize: 10, rankCount: 1, seed: seed).permutation(epoch: epoch)
    }
    #expect(order(1, 0) == order(1, 0))
    #expect(order(1, 0) != order(1, 1))
    #expect(order(1, 0) != order(2, 0))
    // Epochs asked for in any order, with the cache in between.
    let same = DataOrder(sampleCount: 100, batchSize: 10, rankCount: 1, seed: 1)
    #expect([5, 0, 3, 5, 0, 1].map(same.permutation) == [5, 0, 3, 5, 0, 1].map { order(1, $0) })
  }

  /// Written down once: a later version that orders otherwise would break the resume of runs already begun.
  /// Computed by a Python program from the definition.
  @Test func orderIsForEver() {
    let order = DataOrder(sampleCount: 12, batchSize: 4, rankCount: 1, seed: 42)
    #expect(order.permutation(epoch: 0) == [6, 10, 11, 4, 3, 9, 2, 0, 7, 8, 1, 5])
    #expect(order.permutation(epoch: 1) == [6, 4, 10, 8, 11, 5, 3, 0, 9, 2, 1, 7])
  }

  /// 6000 shuffles of 3: each of the 6 orders about 1000 times (standard deviation 29).
  @Test func ordersAreEquallyLikely() {
    var counts: [[Int32]: Int] = [:]
    for epoch in 0..<6000 {
      counts[DataOrder(sampleCount: 3, batchSize: 1, rankCount: 1, seed: 1).permutation(epoch: epoch), default: 0] += 1
    }
    #expect(counts.count == 6)
    #expect(counts.values.allSatisfy { (850...1150).contains($0) }, "\(counts)")
  }

  @Test func positions() {
    let order = DataOrder(sampleCount: 10, batchSize: 2, rankCount: 2, seed: 0)
    #expect(order.stepsPerEpoch == 3)
    for step in 0..<20 {
      let position = order.position(ofStep: step)
      #expect(position == (step / 3, step % 3))
      #expect(order.step(epoch: position.epoch, stepInEpoch: position.stepInEpoch) == step)
    }
  }
}
