import Datasets
import Evaluation
import Testing

struct ConfusedPeopleTests {
  /// Every pair of 60 images of 20 people, counted anew for each two people.
  @Test func countsOfAllPairs() throws {
    let labels = (0..<60).map { $0 * 7 % 20 }
    let pairs = PairSelection.all(labels: labels)
    let scores = pairs.indices.map { Double($0 * 7919 % 1000) / 1000 }
    let confused = ConfusedPeople(pairs, scores: scores, threshold: 0.9, most: 12) { labels[$0] }
    func counts(_ a: Int, _ b: Int) -> (compared: Int, accepted: Int, highest: Double) {
      let own = zip(pairs, scores).filter { pair, _ in Set([labels[pair.first], labels[pair.second]]) == [a, b] }
      return (own.count, own.count { $0.1 >= 0.9 }, own.map(\.1).max() ?? -1)
    }
    #expect((2...12).contains(confused.people.count) && Set(confused.people).count == confused.people.count)
    for a in confused.people {
      for b in confused.people where a != b {
        let (pairing, naive) = (try #require(confused.pairing(a, b)), counts(a, b))
        #expect(pairing.compared == naive.compared && pairing.accepted == naive.accepted)
        #expect(pairing.highestScore == naive.highest)
      }
    }
    let all = (0..<20).flatMap { a in (a + 1..<20).map { counts(a, $0) } }
    #expect(confused.acceptedCount == all.reduce(0) { $0 + $1.accepted } && confused.acceptedCount > 0)
    #expect(confused.comparedCount == pairs.count { !$0.same })
    // The worst of all come first.
    let most = try #require(all.map { [Double($0.accepted), $0.highest] }.max { $0.lexicographicallyPrecedes($1) })
    #expect(try #require(confused.worst.first).accepted == Int(most[0]) && confused.worst[0].highestScore == most[1])
    #expect(confused.worst.map(\.accepted) == confused.worst.map(\.accepted).sorted(by: >))
  }

  /// A threshold accepts what equals it, pairs of one person do not count, and an odd place stays free.
  @Test func fewPeople() {
    let pairs = [
      FacePair(0, 1, same: false), FacePair(2, 3, same: false), FacePair(4, 5, same: true), FacePair(1, 4, same: false),
    ]
    let confused = ConfusedPeople(pairs, scores: [0.5, 0.625, 0.9, 0.25], threshold: 0.5, most: 3) { $0 }
    #expect(confused.people == [2, 3] && confused.worst.map(\.first) == [2])
    #expect(confused.acceptedCount == 2 && confused.comparedCount == 3)
    #expect(confused.pairing(3, 2) == confused.worst[0] && confused.pairing(0, 1) == nil)
    #expect(ConfusedPeople(pairs, scores: [0, 0, 1, 0], threshold: 0.5, most: 3) { $0 }.people.isEmpty)
  }
}
