/// The accuracy that InsightFace prints for a set with folds (`accuracy` and its deviation, recognition/arcface_torch/eval/verification.py).
///
/// d = 2 - 2 cosine, the squared distance of unit vectors. Of the thresholds t = 0, 0.01 ... 3.99 each fold takes the first one with
/// most right answers (same where d < t) on all other folds; its own share of right answers at it counts. The deviation
/// is NumPy's, which divides by the number of folds.
package struct InsightFaceAccuracy: Codable, Equatable, Sendable {
  package let mean: Double
  package let deviation: Double

  private static let thresholdCount = 400

  package init(of scores: RankedScores) {
    let steps = Self.thresholdCount
    // Pairs that are accepted from threshold k on and not before; those that never are stand behind the last.
    var first = [[PairCount]](
      repeating: [PairCount](repeating: PairCount(), count: steps + 1), count: scores.foldCount)
    for entry in scores.entries {
      first[Int(entry.fold)][Self.firstThreshold(above: 2 - 2 * entry.score)].add(entry.same)
    }
    /// Right answers at each threshold.
    let right = zip(first, scores.folds).map { first, all in
      var accepted = PairCount()
      return first.prefix(steps).map { added in
        accepted.same += added.same
        accepted.different += added.different
        return accepted.same + all.different - accepted.different
      }
    }
    let rates = scores.folds.indices.map { fold in
      let others = (0..<steps).map { k in right.indices.reduce(0) { $0 + ($1 == fold ? 0 : right[$1][k]) } }
      let best = others.firstIndex(of: others.max()!)!
      return Double(right[fold][best]) / Double(scores.folds[fold].same + scores.folds[fold].different)
    }
    let (mean, sample) = rates.meanAndDeviation
    self.mean = mean
    let count = Double(rates.count)
    deviation = sample * ((count - 1) / count).squareRoot()
  }

  /// The least k with `distance` < k / 100.
  private static func firstThreshold(above distance: Double) -> Int {
    var k = min(max(Int(distance * 100), 0), thresholdCount)
    while k > 0 && distance < Double(k - 1) * 0.01 { k -= 1 }
    while k < thresholdCount && distance >= Double(k) * 0.01 { k += 1 }
    return k
  }
}
