import Distributed
import MPI
import NeuralNetwork
import Testing
import VectorKernels

extension RankTests {
  /// Sums whose bits follow from the ranks' values: the expectation adds them one by one.
  @Suite struct OrderedSumsTests {
    let world = RankTests.world

    private func sums(_ limit: Int, capacity: Int) -> OrderedSums {
      var communicator = world
      communicator.maximumCount = limit
      return OrderedSums(communicator, capacity: capacity)
    }

    /// Of rank `rank`; large and small, so that another order has other bits.
    private func values(_ rank: Int, _ count: Int) -> [Float] {
      var values = [Float](repeating: 0, count: count)
      values.withUnsafeMutableBufferPointer {
        Initializer.normal(standardDeviation: 1).fill($0, seed: UInt64(rank), name: "sums")
      }
      return values.enumerated().map { $1 * ($0 % 3 == rank % 3 ? 1e6 : 1) }
    }

    @Test(arguments: [0, 1, 2, 5, 1000], [1, 7, 1 << 28]) func areAddedInTheOrderOfTheRanks(count: Int, limit: Int)
      throws
    {
      let sums = sums(limit, capacity: 1000)
      func contribution(_ rank: Int) -> [Double] { values(rank, count).map { Double($0) / 3 } }
      for _ in 0..<2 {
        var all = contribution(world.rank)
        try all.withUnsafeMutableBufferPointer { try sums.sum($0) }
        var expected = contribution(0)
        for rank in 1..<max(world.size, 1) {
          for (index, value) in contribution(rank).enumerated() { expected[index] += value }
        }
        #expect(all == expected)
      }
    }

    /// Blocks of one size, of many, and of one rank alone, which others have nothing of.
    @Test(arguments: 0..<3, [5, 1 << 28]) func blocksOfTheSum(division: Int, limit: Int) throws {
      let (width, size) = (20, world.size)
      let counts = (0..<size).map { rank in
        switch division {
        case 0: 3
        case 1: rank
        default: rank == size - 1 ? 4 : 0
        }
      }
      let blocks = Blocks(counts: counts)
      let (count, mine) = (blocks.total * width, counts[world.rank] * width)
      let memory = (0..<3).map { AlignedMemory(count: [count, size * mine, mine][$0]) }
      let starts = memory.map { $0.elements.baseAddress! }
      _ = memory[0].elements.update(fromContentsOf: values(world.rank, count))
      try sums(limit, capacity: 0).scatter(starts[0], blocks, width: width, staging: starts[1], into: starts[2])

      let rows = AlignedMemory(count: size * max(count, 1))
      let pointers = (0..<size).map { rows.elements.baseAddress! + $0 * count }
      for (rank, row) in pointers.enumerated() { row.update(from: values(rank, count), count: count) }
      PairwiseSum.add(pointers, rowCount: size, count: count)
      let start = blocks.starts[world.rank] * width
      // The pointers above do not keep the memory.
      let (sum, expected) = withExtendedLifetime((memory, rows)) {
        (Array(memory[2].elements), Array(rows.elements[start..<(start + mine)]))
      }
      #expect(sum == expected)
    }
  }
}
