import Inference
import NeuralNetwork
import Testing

/// Against a sort of every exact cosine.
@Suite(.serialized) struct NearestRowsTests {
  /// Small whole numbers: many rows have the same direction.
  private func table(_ count: Int, width: Int = 3, seed: UInt64) throws -> EmbeddingTable {
    var state = seed
    let rows = (0..<(count * width)).map { place in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return place % width == 0 ? Float(1) : Float(Int(state >> 40) % 5) - 2
    }
    return try EmbeddingTable(rows, width: width) { "\($0)" }
  }

  private func naive(
    _ count: Int, in table: EmbeddingTable, of probes: EmbeddingTable, probe: Int, excluding: (Int, Int) -> Bool
  ) -> [NearestRows.Neighbour] {
    let rows = (0..<table.count).filter { !excluding(probe, $0) }
    let all = rows.map { NearestRows.Neighbour(row: $0, cosine: probes.cosine(probe, of: table, $0)) }
    return Array(all.sorted { a, b in a.cosine > b.cosine || (a.cosine == b.cosine && a.row < b.row) }.prefix(count))
  }

  private func onThreads<R>(_ threads: Int, _ body: () throws -> R) rethrows -> R {
    let before = Parallel.threads
    Parallel.setThreads(threads)
    defer { Parallel.setThreads(before) }
    return try body()
  }

  /// More probes than are held at a time, tiles that are full and that are not.
  @Test(arguments: [1, 2, 5]) func equalASort(threads: Int) throws {
    let (probes, rows) = (try table(1100, seed: 1), try table(1300, seed: 2))
    for count in [1, 7, 600] {
      let found = onThreads(threads) { NearestRows.find(count, in: rows, of: probes) }
      #expect(found.count == 1100)
      for probe in stride(from: 0, to: 1100, by: 29) {
        #expect(found[probe] == naive(count, in: rows, of: probes, probe: probe) { _, _ in false })
      }
    }
    // Ties are what this test is about.
    let first = NearestRows.find(2, in: rows, of: probes, range: 40..<41)
    #expect(first.count == 1 && first[0][0].cosine == first[0][1].cosine && first[0][0].row < first[0][1].row)
  }

  @Test func withoutThePersonsOwnRows() throws {
    let rows = try table(700, width: 9, seed: 3)
    let excluded = { (probe: Int, row: Int) in probe % 50 == row % 50 }
    let found = onThreads(3) { NearestRows.find(4, in: rows, of: rows, range: 100..<700, excluding: excluded) }
    for probe in stride(from: 100, to: 700, by: 23) {
      #expect(found[probe - 100] == naive(4, in: rows, of: rows, probe: probe, excluding: excluded))
    }
    #expect(NearestRows.find(2, in: rows, of: rows, range: 0..<1) { $1 > 0 }[0].map(\.row) == [0])
  }

  /// Rows that differ by less than a Float product tells: the exact cosine decides, whatever comes first.
  @Test func differencesBelowAFloats() throws {
    let width = 512
    var values = [Float](repeating: 0, count: 40 * width)
    for row in 0..<40 {
      values[row * width] = 1
      // Cosines of 1 - x^2 / 2.
      values[row * width + 1] = 1e-5 * Float(1 + (row * 17) % 40)
    }
    let rows = try EmbeddingTable(values, width: width) { "\($0)" }
    let probe = try EmbeddingTable([1] + [Float](repeating: 0, count: width - 1), width: width) { "\($0)" }
    let found = NearestRows.find(10, in: rows, of: probe)[0]
    #expect(found.map { ($0.row * 17) % 40 } == Array(0..<10) && found[9].cosine > 1 - 1e-8)
  }

  @Test func fewerRowsThanAskedFor() throws {
    let (probes, rows) = (try table(3, seed: 5), try table(2, seed: 6))
    let found = onThreads(4) { NearestRows.find(1_000_000, in: rows, of: probes) }
    #expect(found.map(\.count) == [2, 2, 2])
    #expect(NearestRows.find(5, in: rows, of: probes, range: 1..<1).isEmpty)
  }
}
