import MPI
import Testing

extension RankTests {
  @Suite struct RequestTests {
    let world = RankTests.world

    func filled(_ count: Int, _ value: Int) -> UnsafeMutableBufferPointer<Float> {
      let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
      buffer.initialize(repeating: Float(value))
      return buffer
    }

    /// 3 elements stay in one call's chunk of 4; 10 and 100 are several.
    @Test(arguments: [0, 3, 10, 100]) func waitGivesTheSum(count: Int) throws {
      var communicator = world
      communicator.maximumCount = 4
      let buffer = filled(count, world.rank)
      defer { buffer.deallocate() }
      let request = try communicator.startAllReduce(buffer)
      try request.wait()
      #expect(buffer.allSatisfy { $0 == Float(RankTests.sumOverRanks { $0 }) })
    }

    @Test(arguments: [1 << 28, 1000]) func testBecomesTrueAndWaitFollows(limit: Int) throws {
      var communicator = world
      communicator.maximumCount = limit
      let buffer = filled(100_000, world.rank + 1)
      defer { buffer.deallocate() }
      var request = try communicator.startAllReduce(buffer, .max)
      while try !request.test() {}
      #expect(try request.test())
      #expect(buffer.allSatisfy { $0 == Float(world.size) })
      try request.wait()
    }

    /// As the gradient buckets of one step.
    @Test func severalUnderWayAtOnce() throws {
      let buffers = (0..<4).map { filled(5_000, world.rank * $0) }
      defer { for buffer in buffers { buffer.deallocate() } }
      let first = try world.startAllReduce(buffers[0])
      var second = try world.startAllReduce(buffers[1])
      let third = try world.startAllReduce(buffers[2], .min)
      _ = try second.test()
      let fourth = try world.startAllReduce(buffers[3])
      #expect(try world.allReduce(1) == world.size)  // A blocking one between them.
      try fourth.wait()
      try first.wait()
      try third.wait()
      try second.wait()
      let sum = RankTests.sumOverRanks { $0 }
      for (index, expected) in [0, sum, 0, 3 * sum].enumerated() {
        #expect(buffers[index].allSatisfy { $0 == Float(expected) })
      }
    }
  }
}
