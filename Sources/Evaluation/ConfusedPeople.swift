package import Datasets

/// Who is taken for whom: pairs of images of different people that a threshold accepts, counted by the two people.
package struct ConfusedPeople: Equatable, Sendable {
  /// Pairs of images of two people.
  package struct Pairing: Equatable, Sendable {
    /// Labels, the lower one first.
    package let first: Int
    package let second: Int
    package fileprivate(set) var compared = 0
    /// False accepts.
    package fileprivate(set) var accepted = 0
    package fileprivate(set) var highestScore = -Double.infinity

    fileprivate func isWorse(than other: Pairing) -> Bool {
      if accepted != other.accepted { return accepted > other.accepted }
      if highestScore != other.highestScore { return highestScore > other.highestScore }
      return (first, second) < (other.first, other.second)
    }
  }

  package let threshold: Double
  /// Labels. Who belongs to the worst pairing comes first, and two of one pairing stand side by side where they enter
  /// together.
  package let people: [Int]
  /// False accepts among `people`, the pairing with the most first; of equals, that with the higher score.
  package let worst: [Pairing]
  /// False accepts of all people.
  package let acceptedCount: Int
  /// Pairs of different people.
  package let comparedCount: Int
  /// By both people's labels, the lower one first.
  private let pairings: [[Int]: Pairing]

  /// - Parameters:
  ///   - pairs: of images; those of the same person are passed over.
  ///   - scores: of each of `pairs`.
  ///   - threshold: a pair is accepted where score >= threshold.
  ///   - most: people to take: whole pairings from the worst on, as long as both people find room.
  ///   - label: of an image.
  package init(_ pairs: [FacePair], scores: [Double], threshold: Double, most: Int, label: (Int) -> Int) {
    precondition(pairs.count == scores.count, "\(pairs.count) pairs, \(scores.count) scores")
    var all: [[Int]: Pairing] = [:]
    for (pair, score) in zip(pairs, scores) where !pair.same {
      let labels = [label(pair.first), label(pair.second)].sorted()
      var pairing = all[labels] ?? Pairing(first: labels[0], second: labels[1])
      pairing.compared += 1
      if score >= threshold { pairing.accepted += 1 }
      pairing.highestScore = max(pairing.highestScore, score)
      all[labels] = pairing
    }
    let confused = all.values.filter { $0.accepted > 0 }.sorted { $0.isWorse(than: $1) }
    var (people, taken) = ([Int](), Set<Int>())
    for pairing in confused {
      let new = [pairing.first, pairing.second].filter { !taken.contains($0) }
      guard people.count + new.count <= most else { continue }
      people += new
      taken.formUnion(new)
    }
    self.threshold = threshold
    self.people = people
    worst = confused.filter { taken.contains($0.first) && taken.contains($0.second) }
    acceptedCount = confused.reduce(0) { $0 + $1.accepted }
    comparedCount = all.values.reduce(0) { $0 + $1.compared }
    pairings = all.filter { taken.isSuperset(of: $0.key) }
  }

  /// Pairs of two of `people`, in either order; nil where no images of theirs were compared.
  package func pairing(_ a: Int, _ b: Int) -> Pairing? { pairings[[a, b].sorted()] }
}
