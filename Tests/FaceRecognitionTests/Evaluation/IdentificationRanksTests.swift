import Evaluation
import Inference
import Testing
import VectorKernels

@Suite struct IdentificationRanksTests {
  private func table(_ count: Int, width: Int, seed: UInt64) throws -> EmbeddingTable {
    var state = seed
    let rows = (0..<(count * width)).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int(state >> 40) % 17) - 8
    }
    return try EmbeddingTable(rows, width: width) { "\($0)" }
  }

  /// Against every exact cosine: tiles that are full and that are not, many searches of one probe, few of another, none of a
  /// third; rows in one part and in several, as ranks have them; whole numbers make equal scores.
  @Test(arguments: [1, 2, 3]) func equalExactComparisons(parts: Int) throws {
    let (probes, others) = (try table(300, width: 5, seed: 1), try table(1100, width: 5, seed: 2))
    let people = (0..<others.count).map { Int32($0 % 31) }
    var (starts, scores, searched): ([Int], [Double], [Int]) = ([0], [], [])
    for probe in 0..<300 {
      let count = probe == 7 ? 60 : probe % 4 == 2 ? 0 : 1 + probe % 3
      for mate in 0..<count {
        scores.append(probes.cosine(probe, of: others, (7 * probe + 300 * mate) % 1100))
        searched.append(probe)
      }
      starts.append(scores.count)
    }
    let shown = (0..<300).map { Int32($0 % 31) }
    for known in [people, nil] {
      let expected = zip(searched, scores).map { probe, score in
        (0..<others.count).count {
          (known == nil || people[$0] != shown[probe]) && probes.cosine(probe, of: others, $0) >= score
        }
      }
      var ranks = IdentificationRanks(probes: probes, people: shown, starts: starts, scores: scores)
      for part in 0..<parts {
        let rows = Share.range(of: others.count, part, parts)
        ranks.add(Self.part(of: others, rows), people: known.map { Array($0[rows]) })
      }
      #expect(ranks.competitors.map(Int.init) == expected && Set(expected).count > 50)
    }
  }

  private static func part(of table: EmbeddingTable, _ rows: Range<Int>) -> EmbeddingTable {
    table.withRows(rows) { EmbeddingTable(vectors: Array($0), inverseNorms: Array($1), width: table.width) }
  }

  /// The best of all exact cosines, blocks full or not, parts of the rows one after the other.
  @Test(arguments: [1, 3]) func bestScores(parts: Int) throws {
    let (probes, others) = (try table(150, width: 5, seed: 1), try table(1100, width: 5, seed: 2))
    let strangers = (0..<150).map { $0 % 4 != 2 }
    var ranks = IdentificationRanks(
      probes: probes, people: [Int32](repeating: 0, count: 150), starts: [Int](repeating: 0, count: 151), scores: [],
      strangers: strangers)
    for part in 0..<parts { ranks.add(Self.part(of: others, Share.range(of: 1100, part, parts))) }
    let expected = (0..<150).map { row in
      strangers[row] ? (0..<1100).map { probes.cosine(row, of: others, $0) }.max()! : -1
    }
    #expect(ranks.bestScores == expected)
  }

  /// A row that is the mate's equal counts against it. A part without rows changes nothing.
  @Test func equalScores() throws {
    let probes = try EmbeddingTable([1, 0], width: 2) { "\($0)" }
    let others = try EmbeddingTable([3, 3, 6, 6, 2, 1, 1, 5], width: 2) { "\($0)" }
    let score = probes.cosine(0, of: others, 0)
    for (people, count) in [(nil, 3), ([0, -1, 0, -1], 1)] as [([Int32]?, Int32)] {
      var ranks = IdentificationRanks(probes: probes, people: [0], starts: [0, 1], scores: [score])
      ranks.add(Self.part(of: others, 0..<0), people: people.map { _ in [] })
      #expect(ranks.competitors == [0])
      ranks.add(others, people: people)
      #expect(ranks.competitors == [count])
    }
  }

  /// Every ordered pair of a person's images; of a gallery the nearest of the person's.
  @Test func searches() throws {
    let probes = try table(7, width: 5, seed: 1)
    let people: [Int32] = [0, 1, 0, 2, 1, 0, 3]
    let own = IdentificationSearches.amongThemselves(probes, people: people)
    let pairs = [(0, 2), (0, 5), (1, 4), (2, 0), (2, 5), (4, 1), (5, 0), (5, 2)]
    #expect(own.starts == [0, 2, 3, 5, 5, 6, 8, 8] && own.mates == pairs.map { Int32($0.1) })
    #expect(own.scores == pairs.map { probes.cosine($0.0, $0.1) })
    let gallery = try table(40, width: 5, seed: 2)
    let shown = (0..<40).map { Int32($0 % 4 - 1) }
    let nearest = IdentificationSearches.nearest(of: probes, people: people, in: gallery, people: shown)
    let expected = people.enumerated().map { probe, person in
      (0..<40).filter { shown[$0] == person }.map { probes.cosine(probe, of: gallery, $0) }.max() ?? -1
    }
    #expect(nearest == expected)
    let found = IdentificationSearches.inAGallery(people: people, nearest: nearest) { $0 < 3 }
    #expect(found.scores == Array(expected[..<6]) && found.starts == [0, 1, 2, 3, 4, 5, 6, 6] && found.mates.isEmpty)
  }

  @Test func cumulativeMatches() {
    let rates = IdentificationReport.rates(of: [1, 1, 2, 5, 6, 30], largestGallery: 21)
    #expect(rates.map(\.rank) == [1, 5, 10, 20] && rates.map(\.found) == [2, 4, 5, 5])
    #expect(rates[1].rate == 4.0 / 6)
  }
}
