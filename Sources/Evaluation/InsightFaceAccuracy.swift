/// The accuracy that InsightFace prints for a set with folds (`accuracy` and its deviation, recognition/arcface_torch/eval/verification.py).
///
/// d = 2 - 2 cosine, the squared distance of unit vectors. Of the thresholds t = 0, 0.01 ... 3.99 each fold takes the first one with
/// most right answers (same where d < t) on all other folds; its own share of right answers at it counts. The deviation
/// is NumPy's, which divides by the number of folds.
package struct InsightFaceAccuracy: Codable, Equatable, Sendable {
  package let mean: Double
  package let deviation: Double

  private static let thresholdCount = 400

  /// Every rank that shares the scores calls it.
  package init(of scores: RankedScores) throws {
    let steps = Self.thresholdCount
    let answers = try Self.firstAccepted(scores)
    // Right answers of each fold at each threshold, and of all folds.
    let right = zip(answers, scores.folds).map { first, all in
      var accepted = PairCount()
      return first.prefix(steps).map { added in
        accepted += added
        return accepted.same + all.different - accepted.different
      }
    }
    let all = (0..<steps).map { k in right.reduce(0) { $0 + $1[k] } }
    let rates = scores.folds.indices.map { fold in
      let others = zip(all, right[fold]).map { $0 - $1 }
      let best = others.firstIndex(of: others.max()!)!
      return Double(right[fold][best]) / Double(scores.folds[fold].same + scores.folds[fold].different)
    }
    let (mean, sample) = rates.meanAndDeviation
    self.mean = mean
    let count = Double(rates.count)
    deviation = sample * ((count - 1) / count).squareRoot()
  }

  /// Pairs of each fold that are accepted from threshold k on and not before; those that never are stand behind the last.
  private static func firstAccepted(_ scores: RankedScores) throws -> [[PairCount]] {
    // By fold, threshold, kind.
    let width = thresholdCount + 1
    var counts = [Int](repeating: 0, count: 2 * scores.foldCount * width)
    var rest = scores.pairs[...]
    for k in 0..<width {
      // The distances rise.
      let end =
        k == thresholdCount ? rest.endIndex : rest.partition { 2 - 2 * $0.score < Double(k) * 0.01 }
      for pair in rest[..<end] { counts[2 * (pair.fold * width + k) + (pair.same ? 1 : 0)] += 1 }
      rest = rest[end...]
    }
    let all = RankedScores.folds(try scores.group.reduce(counts))
    return (0..<scores.foldCount).map { Array(all[($0 * width)..<(($0 + 1) * width)]) }
  }
}
