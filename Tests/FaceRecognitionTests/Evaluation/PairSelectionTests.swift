import Datasets
import Evaluation
import Testing

@Suite struct PairSelectionTests {
  @Test func allPairs() {
    let pairs = PairSelection.all(labels: [7, 3, 7])
    #expect(pairs == [FacePair(0, 1, same: false), FacePair(0, 2, same: true), FacePair(1, 2, same: false)])
    #expect(PairSelection.all(labels: []) == [] && PairSelection.all(labels: [1]) == [])
  }

  @Test func attFaces() {
    let pairs = PairSelection.all(labels: (0..<100).map { $0 / 10 })
    #expect(pairs.count == 4950 && pairs.count { $0.same } == 450)
  }

  /// Uneven people in mixed order: counts, truths, no pair twice, the same for the same seed.
  @Test(arguments: [0, 1, 10, 40, 1000]) func balancedSample(count: Int) {
    let labels = (0..<60).map { ($0 * $0) % 17 }
    let selection = PairSelection(labels: labels)
    let all = PairSelection.all(labels: labels)
    #expect(selection.sameCount == all.count { $0.same } && selection.differentCount == all.count { !$0.same })

    let pairs = selection.balancedSample(count: count, seed: 5)
    let expected = min(count / 2, selection.sameCount, selection.differentCount)
    #expect(pairs.count { $0.same } == expected && pairs.count { !$0.same } == expected)
    #expect(Set(pairs).count == pairs.count)
    #expect(pairs.allSatisfy { $0.first < $0.second && (labels[$0.first] == labels[$0.second]) == $0.same })
    #expect(pairs == selection.balancedSample(count: count, seed: 5))
    if count == 40 { #expect(pairs != selection.balancedSample(count: count, seed: 6)) }
  }

  @Test func allSamePairsWhereTheyAreFew() {
    let labels = [0, 1, 1, 2, 2, 2, 3, 4, 5]
    let pairs = PairSelection(labels: labels).balancedSample(count: 100, seed: 1)
    #expect(
      pairs.filter(\.same) == [(1, 2), (3, 4), (3, 5), (4, 5)].map { FacePair($0.0, $0.1, same: true) })
    #expect(pairs.count == 8)
    #expect(PairSelection(labels: [0, 1, 2]).balancedSample(count: 10, seed: 1) == [])
    #expect(PairSelection(labels: [4, 4]).balancedSample(count: 10, seed: 1) == [])
  }

  /// Each of the pairs is as likely as any other: with 8,000 draws of 4 out of 40 a count's deviation is 27 about 800.
  @Test func uniform() {
    let labels = (0..<20).map { $0 / 5 }
    let selection = PairSelection(labels: labels)
    var counts: [FacePair: Int] = [:]
    for seed in 0..<8000 {
      let pairs = selection.balancedSample(count: 8, seed: UInt64(seed))
      for pair in pairs where pair.same { counts[pair, default: 0] += 1 }
    }
    #expect(counts.count == 40)
    #expect(counts.values.allSatisfy { abs($0 - 800) < 5 * 27 }, "\(counts.values.sorted())")
  }

  /// A million people: nothing of the size of all pairs is made.
  @Test func largeSet() {
    let selection = PairSelection(labels: (0..<2_000_000).map { $0 % 1_000_000 })
    #expect(selection.differentCount == 2_000_000 * 1_999_999 / 2 - 1_000_000)
    let pairs = selection.balancedSample(count: 20_000, seed: 3)
    #expect(pairs.count == 20_000 && pairs.allSatisfy { ($0.first % 1_000_000 == $0.second % 1_000_000) == $0.same })
  }
}
