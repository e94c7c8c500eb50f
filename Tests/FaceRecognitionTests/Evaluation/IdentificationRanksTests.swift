import Evaluation
import Inference
import Testing

@Suite struct IdentificationRanksTests {
  private func table(_ count: Int, width: Int, seed: UInt64) throws -> EmbeddingTable {
    var state = seed
    let rows = (0..<(count * width)).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int(state >> 40) % 17) - 8
    }
    return try EmbeddingTable(rows, width: width) { "\($0)" }
  }

  /// Against every exact cosine: tiles that are full and that are not, several searches of one probe, none of another;
  /// whole numbers make equal scores.
  @Test(arguments: [1, 2, 3]) func equalExactComparisons(parts: Int) throws {
    let (probes, others) = (try table(300, width: 5, seed: 1), try table(1100, width: 5, seed: 2))
    let people = (0..<others.count).map { $0 % 31 }
    let searches = (0..<300).filter { $0 % 4 != 2 }.flatMap { probe in
      (0...(probe % 3)).map { mate in
        IdentificationRanks.Search(
          probe: probe, person: probe % 31, score: probes.cosine(probe, of: others, (7 * probe + 300 * mate) % 1100))
      }
    }
    let ranks = IdentificationRanks(probes: probes, searches: searches)
    for known in [people, nil] {
      let expected = searches.map { search in
        (0..<others.count).count {
          (known == nil || people[$0] != search.person) && probes.cosine(search.probe, of: others, $0) >= search.score
        }
      }
      var counts = [Int](repeating: 0, count: searches.count)
      for part in 0..<parts {
        let share = ranks.competitors(in: others, people: known, part: part, of: parts)
        counts = zip(counts, share).map(+)
      }
      #expect(counts == expected && Set(counts).count > 50)
    }
  }

  /// The best of all exact cosines, blocks full or not, parts of the probes joined.
  @Test(arguments: [1, 3]) func bestScores(parts: Int) throws {
    let (probes, others) = (try table(150, width: 5, seed: 1), try table(1100, width: 5, seed: 2))
    let rows = (0..<150).filter { $0 % 4 != 2 }
    let ranks = IdentificationRanks(
      probes: probes, searches: rows.map { .init(probe: $0, person: -1, score: -1) })
    let found = (0..<parts).map { ranks.bestScores(in: others, part: $0, of: parts) }
    let best = rows.indices.map { place in found.map { $0[place] }.max()! }
    #expect(best == rows.map { row in (0..<1100).map { probes.cosine(row, of: others, $0) }.max()! })
  }

  /// A row that is the mate's equal counts against it.
  @Test func equalScores() throws {
    let probes = try EmbeddingTable([1, 0], width: 2) { "\($0)" }
    let others = try EmbeddingTable([3, 3, 6, 6, 2, 1, 1, 5], width: 2) { "\($0)" }
    let score = probes.cosine(0, of: others, 0)
    let ranks = IdentificationRanks(probes: probes, searches: [.init(probe: 0, person: 0, score: score)])
    #expect(ranks.competitors(in: others, people: nil, part: 0, of: 1) == [3])
    #expect(ranks.competitors(in: others, people: [0, -1, 0, -1], part: 0, of: 1) == [1])
  }

  @Test func cumulativeMatches() {
    let rates = IdentificationReport.rates(of: [1, 1, 2, 5, 6, 30], largestGallery: 21)
    #expect(rates.map(\.rank) == [1, 5, 10, 20] && rates.map(\.found) == [2, 4, 5, 5])
    #expect(rates[1].rate == 4.0 / 6)
  }
}
