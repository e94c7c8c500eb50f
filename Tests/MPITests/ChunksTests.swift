import MPI
import Testing

@Suite struct ChunksTests {
  @Test func chunksCoverTheCountInOrder() {
    #expect(Array(Chunks(of: 10, limit: 4)) == [0..<4, 4..<8, 8..<10])
    #expect(Array(Chunks(of: 8, limit: 4)) == [0..<4, 4..<8])
    #expect(Array(Chunks(of: 3, limit: 4)) == [0..<3])
    #expect(Array(Chunks(of: 1, limit: 1)) == [0..<1])
  }

  @Test func nothingHasNoChunk() {
    #expect(Array(Chunks(of: 0, limit: 4)).isEmpty)
  }

  @Test func countsPast32BitsAreDivided() {
    let count = 5_000_000_000  // more than UInt32.max
    let chunks = Array(Chunks(of: count, limit: 1 << 28))
    #expect(chunks.count == 19)
    #expect(chunks.allSatisfy { $0.count <= 1 << 28 })
    #expect(chunks.map(\.count).reduce(0, +) == count)
    #expect(chunks.last?.upperBound == count)
  }

  @Test func blocksFollowOneAnother() {
    let blocks = Blocks(counts: [3, 0, 2])
    #expect(blocks.starts == [0, 3, 3])
    #expect(blocks.total == 5)
    #expect((0..<3).map(blocks.range) == [0..<3, 3..<3, 3..<5])
  }

  @Test func blocksOfNoRankAreEmpty() {
    #expect(Blocks(counts: []).total == 0)
  }
}
