import MPI
import Testing

extension RankTests {
  /// Every collective with the expectation that follows from rank and size, in one call and in chunks.
  @Suite struct CollectivesTests {
    let world = RankTests.world

    static let limits = [1, 3, 1 << 28]

    func chunked(_ limit: Int) -> Communicator {
      var communicator = world
      communicator.maximumCount = limit
      return communicator
    }

    @Test(arguments: limits) func broadcastFromEveryRoot(limit: Int) throws {
      for root in 0..<world.size {
        var values = (0..<10).map { Float($0 + 100 * world.rank) }
        try values.withUnsafeMutableBufferPointer { try chunked(limit).broadcast($0, from: root) }
        #expect(values == (0..<10).map { Float($0 + 100 * root) })
      }
    }

    @Test(arguments: limits) func allReduceSum(limit: Int) throws {
      let values = try chunked(limit).allReduce((0..<10).map { Float(world.rank + $0) })
      #expect(values == (0..<10).map { i in Float(RankTests.sumOverRanks { $0 + i }) })
    }

    @Test(arguments: limits) func sumsOfTheRanksBefore(limit: Int) throws {
      let sums = try chunked(limit).exclusiveSum((0..<10).map { world.rank * 100 + $0 })
      #expect(sums == (0..<10).map { i in (0..<world.rank).reduce(0) { $0 + $1 * 100 + i } })
    }

    @Test func allReduceMaxAndMin() throws {
      let values = [Double(world.rank), Double(-world.rank)]
      #expect(try world.allReduce(values, .max) == [Double(world.size - 1), 0])
      #expect(try world.allReduce(values, .min) == [0, Double(1 - world.size)])
    }

    @Test func everyTypeIsReduced() throws {
      func expectSum<S: MPIScalar & Equatable>(_ type: S.Type) throws {
        let rank = S(exactly: world.rank + 1)!
        let size = S(exactly: world.size)!
        #expect(try world.allReduce(rank) == S(exactly: RankTests.sumOverRanks { $0 + 1 })!)
        #expect(try world.allReduce(rank, .max) == size)
        #expect(try world.allReduce(rank, .min) == 1)
      }
      try expectSum(Float.self)
      try expectSum(Double.self)
      try expectSum(Int32.self)
      try expectSum(Int64.self)
      try expectSum(UInt8.self)
      try expectSum(UInt16.self)
      try expectSum(Int.self)
    }

    @Test func widthsAreThoseOfTheLibrary() throws {
      func expectWidth<S: MPIScalar>(_ type: S.Type) throws {
        #expect(try S.datatype.size() == MemoryLayout<S>.size)
      }
      try expectWidth(Float.self)
      try expectWidth(Double.self)
      try expectWidth(Int32.self)
      try expectWidth(Int64.self)
      try expectWidth(UInt8.self)
      try expectWidth(UInt16.self)
      try expectWidth(Int.self)
    }

    @Test func sumsAreTheSameBitsOnEveryRank() throws {
      var state = UInt32(world.rank + 1)
      let values = (0..<10_000).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return Float(state) / 1e9
      }
      let sum = try world.allReduce(values)
      let bits = sum.map { Int64($0.bitPattern) }
      #expect(try world.allReduce(bits, .max) == bits)
      #expect(try world.allReduce(bits, .min) == bits)
    }

    /// Rank r contributes 2 r elements: rank 0 none.
    @Test(arguments: limits) func allGatherUnequalCounts(limit: Int) throws {
      let counts = (0..<world.size).map { 2 * $0 }
      let own = (0..<counts[world.rank]).map { Int64(world.rank * 100 + $0) }
      let all = try chunked(limit).allGather(own, counts: counts)
      #expect(all == (0..<world.size).flatMap { rank in (0..<counts[rank]).map { Int64(rank * 100 + $0) } })
    }

    @Test(arguments: limits) func allGatherInPlace(limit: Int) throws {
      let counts = (0..<world.size).map { $0 + 1 }
      let blocks = Blocks(counts: counts)
      var all = [Float](repeating: -1, count: blocks.total)
      for index in blocks.range(world.rank) { all[index] = Float(index) }
      try all.withUnsafeMutableBufferPointer { buffer in
        let own = UnsafeBufferPointer(rebasing: buffer[blocks.range(world.rank)])
        try chunked(limit).allGather(own, into: buffer, counts: counts)
      }
      #expect(all == (0..<blocks.total).map(Float.init))
    }

    /// 1e16 swallows a 1, unless what is added in between takes the 1e16 away: the sum tells the order.
    @Test func orderedSumsAreInTheOrderOfTheRanks() throws {
      let terms = [1, 1e16, -1e16, 1, 3]
      func values(_ rank: Int) -> [Double] { (0..<5).map { terms[(rank + $0) % 5] } }
      let expected = (0..<5).map { i in (1..<world.size).reduce(values(0)[i]) { $0 + values($1)[i] } }
      #expect(try world.orderedSum(values(world.rank)) == expected)
      #expect(try world.orderedSum(values(world.rank)[2]) == expected[2])
      #expect(try world.orderedSum([]) == [])
    }

    @Test func emptyBuffersAreFine() throws {
      #expect(try world.allReduce([Float]()) == [])
      #expect(try world.allGather([Float](), counts: [Int](repeating: 0, count: world.size)) == [])
      #expect(try world.broadcast(bytes: []) == [])
    }

    @Test func values() throws {
      #expect(try world.broadcast(world.rank, from: world.size - 1) == world.size - 1)
      #expect(try world.allReduce(Double(world.rank)) == Double(world.size * (world.size - 1) / 2))
      #expect(try world.allGather(Int32(world.rank * world.rank)) == (0..<world.size).map { Int32($0 * $0) })
    }

    @Test func bytesOfUnequalLength() throws {
      let names = (0..<world.size).map { Array("node\(String(repeating: "x", count: $0))".utf8) }
      #expect(try world.allGather(bytes: names[world.rank]) == names)
      for root in 0..<world.size {
        #expect(try world.broadcast(bytes: names[world.rank], from: root) == names[root])
      }
    }
  }
}
