import Evaluation
import Testing

@Suite struct ComparisonCostTests {
  private func cost(ranks: Int) -> ComparisonCost {
    ComparisonCost(
      rows: [.init("probes", 1000, isOnEveryRank: true), .init("distractors", 1_000_001, isOnEveryRank: false)],
      width: 512, ranks: ranks, products: 1000 * 1_000_001, flops: 100e9)
  }

  /// Of a row 2,048 bytes of Floats and 16 of norms where it is held, 8 everywhere.
  @Test func linesSayBothBeforeTheWork() {
    #expect(
      cost(ranks: 1).lines == [
        "probes       1,000 embeddings of 512, 2.1 MB", "distractors  1,000,001 embeddings of 512, 2.07 GB",
        "memory       about 2.21 GB", "comparisons  1,000,001,000 of two embeddings, about 11 s",
      ])
    let four = cost(ranks: 4)
    #expect(four.share(four.rows[0]) == 1000 && four.share(four.rows[1]) == 250_001)
    #expect(
      four.lines == [
        "probes       1,000 embeddings of 512, all on every rank: 2.1 MB a rank",
        "distractors  1,000,001 embeddings of 512, 250,001 a rank: 0.52 GB a rank",
        "memory       about 0.66 GB a rank", "comparisons  1,000,001,000 of two embeddings, about 11 s",
      ])
  }

  /// A rank needs its share, and little beside it.
  @Test func memoryFallsWithTheRanks() {
    for ranks in [1, 2, 4] { #expect(Double(cost(ranks: ranks).bytes) < 1.3 * 2048e6 / Double(ranks) + 200e6) }
    #expect(cost(ranks: 1).seconds == cost(ranks: 4).seconds && abs(cost(ranks: 1).seconds - 10.24) < 0.01)
  }

  /// As large as IJB-C: 12 bytes a pair and 8 of its score.
  @Test func pairsAreDividedToo() {
    func cost(ranks: Int) -> ComparisonCost {
      ComparisonCost(images: 400_000, pairs: 15_000_000, width: 512, ranks: ranks, rate: 1e6)
    }
    #expect(
      cost(ranks: 1).lines == [
        "images       400,000 embeddings of 512, 0.83 GB", "pairs        15,000,000, 0.30 GB",
        "memory       about 1.22 GB", "comparisons  15,000,000 of two embeddings, about 15 s",
      ])
    #expect(
      cost(ranks: 4).lines[..<3] == [
        "images       400,000 embeddings of 512, 100,000 a rank: 0.21 GB a rank",
        "pairs        15,000,000, 3,750,000 a rank: 75.0 MB a rank", "memory       about 0.37 GB a rank",
      ])
    for ranks in [1, 2, 4] { #expect(Double(cost(ranks: ranks).bytes) < 1.3 * 819.2e6 / Double(ranks) + 200e6) }
  }
}
