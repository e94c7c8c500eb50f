import MPI
import Distributed
import NeuralNetwork
import Testing
import VectorKernels

extension RankTests {
  @Suite struct GradientReducerTests {
    let world = RankTests.world

    private func makeReducer(bucketBytes: Int, type: GradientType = .float32) -> (Network, GradientReducer) {
      let network = NetworkKind.mobilefacenet.makeNetwork(embeddingWidth: 32, inputSide: 48)
      return (network, GradientReducer(network, world, bucketBytes: bucketBytes, type: type))
    }

    /// What rank `rank` adds, every rank can compute.
    private func fill(_ buffer: UnsafeMutableBufferPointer<Float>, rank: Int, seed: UInt64 = 0) {
      Initializer.normal(standardDeviation: 1).fill(buffer, seed: seed + UInt64(rank), name: "gradient")
    }

    /// The sum pair by pair in the order of the ranks, after `rounded` of each contribution.
    private func expectedSum(_ count: Int, seed: UInt64 = 0, _ rounded: (Float) -> Float = { $0 }) -> [Float] {
      let memory = AlignedMemory(count: world.size * count)
      let rows = (0..<world.size).map { memory.elements.baseAddress! + $0 * count }
      for (rank, row) in rows.enumerated() {
        let row = UnsafeMutableBufferPointer(start: row, count: count)
        fill(row, rank: rank, seed: seed)
        for i in 0..<count { row[i] = rounded(row[i]) }
      }
      PairwiseSum.add(rows, rowCount: rows.count, count: count)
      return Array(memory.elements[0..<count])
    }

    private func runBackward(_ network: Network, _ reducer: GradientReducer) throws {
      for layer in network.layers.reversed() where !layer.parameters.isEmpty { try reducer.add(layer) }
    }

    /// One bucket, some, and very many: the bits are the same.
    @Test(arguments: [1 << 26, 1 << 16, 3000]) func networkGradientsAreSummed(bucketBytes: Int) throws {
      let (network, reducer) = makeReducer(bucketBytes: bucketBytes)
      let gradients = network.parameters.gradients
      for step in 0..<3 {
        fill(gradients, rank: world.rank, seed: UInt64(100 * step))
        try runBackward(network, reducer)
        try reducer.finish()
        #expect(Array(gradients) == expectedSum(gradients.count, seed: UInt64(100 * step)))
      }
    }

    /// Ranges of few elements leave ranks without a piece; of none, nothing happens but `whenSummed`.
    @Test(arguments: [0, 1, 15, 16, 17, 100, 5000]) func otherGradients(count: Int) throws {
      let (_, reducer) = makeReducer(bucketBytes: 4096)
      let memory = AlignedMemory(count: count)
      fill(memory.elements, rank: world.rank)
      var calls: [Int] = []
      for index in 0..<3 {
        let part = Share.range(of: count, index, 3)
        try reducer.start(.init(rebasing: memory.elements[part]), .classWeight) { calls.append(index) }
      }
      try reducer.finish()
      #expect(calls == [0, 1, 2])
      #expect(Array(memory.elements) == expectedSum(count))
    }

    /// Each range of the store is announced once, in order, when it holds the sum.
    @Test func whatIsSummedIsAnnounced() throws {
      var ranges: [Range<Int>] = []
      let gradients = Box()
      let (network, reducer) = makeReducer(bucketBytes: 10_000)
      reducer.whenSummed = { range in
        ranges.append(range)
        gradients.isSummed = gradients.isSummed && range.allSatisfy { gradients.values[$0] == gradients.expected[$0] }
      }
      gradients.values = network.parameters.gradients
      gradients.expected = expectedSum(network.parameters.gradients.count)
      fill(network.parameters.gradients, rank: world.rank)
      try runBackward(network, reducer)
      try reducer.finish()
      guard world.size > 1 else {
        #expect(ranges.isEmpty)
        return
      }
      #expect(gradients.isSummed)
      #expect(Array(ranges.joined()) == Array(0..<network.parameters.trainedCount))
      #expect(ranges.count > 10)
    }

    private final class Box {
      var values = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
      var expected: [Float] = []
      var isSummed = true
    }

    /// Contributions and sum rounded, additions in Float; the same for every size of buckets, and statistics as they are.
    @Test(arguments: [1 << 26, 3000]) func bfloat16(bucketBytes: Int) throws {
      let (network, reducer) = makeReducer(bucketBytes: bucketBytes, type: .bfloat16)
      let gradients = network.parameters.gradients
      fill(gradients, rank: world.rank)
      let statistics = AlignedMemory(count: 100)
      fill(statistics.elements, rank: world.rank)
      try runBackward(network, reducer)
      try reducer.start(statistics.elements, .statistics)
      try reducer.finish()
      #expect(Array(statistics.elements) == expectedSum(100))
      func rounded(_ value: Float) -> Float { BFloat16.decode(BFloat16.encode(value)) }
      let expected =
        world.size == 1
        ? expectedSum(gradients.count) : expectedSum(gradients.count, rounded).map(rounded)
      #expect(Array(gradients) == expected)
    }

    /// 2 (P - 1) / P of the gradients' bytes, but for pieces that cache lines do not divide evenly.
    @Test(arguments: GradientType.allCases) func bytesSent(type: GradientType) throws {
      let (network, reducer) = makeReducer(bucketBytes: 1 << 16, type: type)
      let count = network.parameters.trainedCount
      try runBackward(network, reducer)
      let statistics = AlignedMemory(count: 1 << 12)
      try reducer.start(statistics.elements, .statistics)
      try reducer.finish()
      let formula = GradientBuckets.bytesSent(count, ranks: world.size, type)
      let buckets = count / (1 << 14) + 1
      func sent(_ part: GradientReducer.Part) -> Int { reducer.sentBytes[part.rawValue] }
      #expect(abs(sent(.network) - formula) <= buckets * world.size * 64)
      let own = 16 * Share.range(of: 256, world.rank, world.size).count
      #expect(sent(.statistics) == 4 * (world.size > 1 ? 4096 - own + own * (world.size - 1) : 0))
      #expect(sent(.classWeight) == 0)
      // All ranks together send exactly what all pieces weigh.
      #expect(try world.allReduce(sent(.network)) == 2 * (world.size - 1) * count * type.bytes)
    }
  }
}
