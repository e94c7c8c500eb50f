/// Things grouped by their similarity: agglomerative clustering with average linkage (UPGMA), cut at a bound.
///
/// The similarity of two groups is the mean over all pairs of one of each. The nearest two groups are joined as long as
/// theirs is at least the bound.
///
/// Computed along chains of nearest neighbours (Murtagh, "A survey of recent advances in hierarchical clustering
/// algorithms", The Computer Journal 26, 1983) in time and memory of count^2.
package enum AverageLinkage {
  /// The groups of 0..<count, each ascending, the largest first; of equal ones that with the smallest number.
  package static func groups(_ count: Int, bound: Double, similarity: (Int, Int) -> Double) -> [[Int]] {
    var values = [Double](repeating: -.infinity, count: count * count)
    for i in 0..<count {
      for j in 0..<i {
        let value = similarity(i, j)
        values[i * count + j] = value
        values[j * count + i] = value
      }
    }
    var groups = (0..<count).map { [$0] }
    // Numbers of the groups that may still be joined.
    var open = Array(0..<count)
    var chain: [Int] = []
    while !open.isEmpty {
      if chain.isEmpty { chain.append(open[0]) }
      let last = chain[chain.count - 1]
      let before = chain.count > 1 ? chain[chain.count - 2] : nil
      var nearest = before
      var most = before.map { values[last * count + $0] } ?? -.infinity
      for other in open where other != last && values[last * count + other] > most {
        (nearest, most) = (other, values[last * count + other])
      }
      guard let nearest, most >= bound else {
        // Joining others brings none of them nearer to it.
        open.removeAll { $0 == last }
        chain.removeLast()
        continue
      }
      guard nearest == before else {
        chain.append(nearest)
        continue
      }
      chain.removeLast(2)
      let (kept, joined) = (min(last, nearest), max(last, nearest))
      let (a, b) = (Double(groups[kept].count), Double(groups[joined].count))
      for other in open where other != kept && other != joined {
        let value = (a * values[kept * count + other] + b * values[joined * count + other]) / (a + b)
        values[kept * count + other] = value
        values[other * count + kept] = value
      }
      groups[kept] += groups[joined]
      groups[joined] = []
      open.removeAll { $0 == joined }
    }
    return groups.filter { !$0.isEmpty }.map { $0.sorted() }.sorted { ($1.count, $0[0]) < ($0.count, $1[0]) }
  }
}
