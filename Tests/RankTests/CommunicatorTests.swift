import Foundation
import MPI
import Testing

extension RankTests {
  @Suite struct CommunicatorTests {
    let world = RankTests.world

    @Test func rankAndSizeAreMpirunsOwn() throws {
      let environment = ProcessInfo.processInfo.environment
      #expect(world.rank == environment["OMPI_COMM_WORLD_RANK"].map { Int($0)! } ?? 0)
      #expect(world.size == environment["OMPI_COMM_WORLD_SIZE"].map { Int($0)! } ?? 1)
      #expect(try world.allGather(world.rank) == Array(0..<world.size))
    }

    @Test func startingAgainGivesTheSameWorld() throws {
      let again = try World.initialize()
      #expect(again.rank == world.rank && again.size == world.size)
      #expect(World.isRunning)
    }

    @Test func splitByParity() throws {
      let part = try world.split(color: world.rank % 2)
      let members = (0..<world.size).filter { $0 % 2 == world.rank % 2 }
      #expect(part.size == members.count)
      #expect(part.rank == world.rank / 2)
      #expect(try part.allGather(world.rank) == members)
      try part.free()
    }

    @Test func splitOrdersByKey() throws {
      let reversed = try world.split(color: 0, key: -world.rank)
      #expect(reversed.rank == world.size - 1 - world.rank)
      #expect(try reversed.broadcast(world.rank) == world.size - 1)
      try reversed.free()
    }

    @Test func chunksOfAPartAreThoseOfTheWhole() throws {
      var small = world
      small.maximumCount = 2
      let part = try small.split(color: 0)
      #expect(part.maximumCount == 2)
      #expect(try part.allReduce([1, 1, 1, 1, 1]) == [Int](repeating: world.size, count: 5))
      try part.free()
    }

    /// The tests run on one node.
    @Test func placementOnOneNode() throws {
      let placement = try world.placement()
      #expect(placement.node == 0 && placement.nodeCount == 1)
      #expect(placement.localRank == world.rank && placement.localSize == world.size)
      #expect(!placement.hostName.isEmpty)
      let shared = try world.splitSharedMemory()
      #expect(shared.size == world.size)
      try shared.free()
    }

    @Test func barrierWaitsForTheLast() throws {
      let clock = ContinuousClock()
      try world.barrier()
      let start = clock.now
      if world.rank == world.size - 1 { Thread.sleep(forTimeInterval: 0.2) }
      try world.barrier()
      #expect(clock.now - start > .milliseconds(150))
    }

    @Test func aRootThatDoesNotExistThrows() throws {
      let error = try #require(throws: MPIError.self) { try world.broadcast(1, from: world.size) }
      #expect(error.routine == "MPI_Bcast")
      #expect(error.message.contains("MPI_ERR_ROOT"))
      #expect("\(error)".hasPrefix("MPI_Bcast failed with code \(error.code): MPI_ERR_ROOT"))

      let negative = try #require(throws: MPIError.self) { try world.broadcast(1, from: -1) }
      #expect(negative.routine == "MPI_Bcast")
    }

    @Test func aNegativeColorThrows() throws {
      let error = try #require(throws: MPIError.self) { _ = try world.split(color: -7) }
      #expect(error.routine == "MPI_Comm_split")
    }

    @Test func errorsOfPartsThrowToo() throws {
      let part = try world.split(color: 0)
      #expect(throws: MPIError.self) { try part.broadcast(1, from: part.size) }
      try part.free()
    }
  }
}
