package import Datasets
import VectorKernels

/// Pairs for a set of labelled images that comes without a list of them.
package struct PairSelection: Sendable {
  /// Positions in the images' own order, people one after another: people with the lowest label first.
  private let images: [Int]
  /// For each position, where the person's run of positions ends.
  private let runEnd: [Int]
  /// Pairs of one kind whose first image stands before a position; the last element counts all.
  private let sameBefore: [Int]
  private let differentBefore: [Int]

  /// `labels[i]` is the person on image i.
  package init(labels: [Int]) {
    images = labels.indices.sorted { (labels[$0], $0) < (labels[$1], $1) }
    var runEnd = [Int](repeating: images.count, count: images.count)
    for position in images.indices.reversed().dropFirst() {
      let next = position + 1
      runEnd[position] = labels[images[position]] == labels[images[next]] ? runEnd[next] : next
    }
    var same = [0]
    var different = [0]
    for position in images.indices {
      same.append(same[position] + runEnd[position] - position - 1)
      different.append(different[position] + images.count - runEnd[position])
    }
    self.runEnd = runEnd
    sameBefore = same
    differentBefore = different
  }

  /// Pairs of images of the same person that exist.
  package var sameCount: Int { sameBefore[images.count] }

  /// Pairs of images of different people that exist.
  package var differentCount: Int { differentBefore[images.count] }

  /// Every pair i < j in the order (0, 1), (0, 2) ... (1, 2) ...: for small folders, since n images have n (n - 1) / 2.
  package static func all(labels: [Int]) -> [FacePair] {
    var pairs: [FacePair] = []
    pairs.reserveCapacity(labels.count * max(labels.count - 1, 0) / 2)
    for i in labels.indices {
      for j in labels.indices[(i + 1)...] { pairs.append(FacePair(i, j, same: labels[i] == labels[j])) }
    }
    return pairs
  }

  /// About `count` pairs, half of the same person and half of different people, none twice.
  ///
  /// Where fewer pairs of the same person exist all of them are taken, and as many of different people. Each kind is a
  /// uniform sample and a function of labels, count and seed alone. Pairs of the same person come first.
  package func balancedSample(count: Int, seed: UInt64) -> [FacePair] {
    precondition(count >= 0, "A sample of \(count) pairs")
    let half = min(count / 2, sameCount, differentCount)
    var generator = SplitMix64(state: seed)
    let same = Self.distinct(half, below: sameCount, using: &generator).map { rank in
      let position = Self.place(of: rank, in: sameBefore)
      return pair(position, position + 1 + rank - sameBefore[position], same: true)
    }
    let different = Self.distinct(half, below: differentCount, using: &generator).map { rank in
      let position = Self.place(of: rank, in: differentBefore)
      return pair(position, runEnd[position] + rank - differentBefore[position], same: false)
    }
    return same + different
  }

  private func pair(_ a: Int, _ b: Int, same: Bool) -> FacePair {
    FacePair(min(images[a], images[b]), max(images[a], images[b]), same: same)
  }

  /// `count` numbers of 0..<limit in ascending order, each subset as likely as any other.
  ///
  /// Floyd's algorithm (Bentley and Floyd, Communications of the ACM 30(9), 1987): no table of all `limit` numbers.
  private static func distinct(_ count: Int, below limit: Int, using generator: inout SplitMix64) -> [Int] {
    var chosen: Set<Int> = []
    for top in (limit - count)..<limit {
      let candidate = Int.random(in: 0...top, using: &generator)
      chosen.insert(chosen.contains(candidate) ? top : candidate)
    }
    return chosen.sorted()
  }

  /// The last position whose pairs start at or before `rank`.
  private static func place(of rank: Int, in before: [Int]) -> Int {
    var low = 0
    var high = before.count - 1
    while high - low > 1 {
      let middle = (low + high) / 2
      if before[middle] <= rank { low = middle } else { high = middle }
    }
    return low
  }
}
