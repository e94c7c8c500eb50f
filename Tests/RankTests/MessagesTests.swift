import MPI
import Testing

extension RankTests {
  @Suite struct MessagesTests {
    /// Every rank sends two messages to rank 0; chunks of 3 leave a rest.
    @Test(arguments: [1 << 28, 3]) func arriveWholeAndInOrder(maximumCount: Int) throws {
      var communicator = RankTests.world
      communicator.maximumCount = maximumCount
      func message(_ rank: Int, _ number: Int) -> [Float] { (0..<7).map { Float(100 * rank + 10 * number + $0) } }
      for rank in 1..<max(communicator.size, 1) {
        for number in 0..<2 {
          if communicator.rank == rank {
            try message(rank, number).withUnsafeBufferPointer { try communicator.send($0, to: 0) }
          } else if communicator.rank == 0 {
            var received = [Float](repeating: -1, count: 7)
            try received.withUnsafeMutableBufferPointer { try communicator.receive($0, from: rank) }
            #expect(received == message(rank, number))
          }
        }
      }
      try communicator.barrier()
    }
  }
}
