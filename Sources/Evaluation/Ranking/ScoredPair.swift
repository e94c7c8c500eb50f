package import Datasets
package import Inference

/// A pair's score and its mark in 64 bits: pairs are many millions, and their order as numbers is that of their scores.
package struct ScoredPair: Comparable, Sendable {
  /// steps of the score << 18 | mark
  package let bits: Int64

  /// `PairMark.bitCount`. What stands in another module is asked for by a call, which here would be one for each pair.
  static let markBits: Int64 = 18

  /// `score` in [-1, 1] and finite; rounded to a step (`CosineStep`).
  package init(score: Double, mark: PairMark) {
    bits = Int64(CosineStep.count(in: score)) << Self.markBits | Int64(mark.bits)
  }

  /// The score of a pair that may be anything.
  ///
  /// - Parameter place: the pair's number, for the message.
  /// - Throws: where the score is not a finite number.
  package init(checking score: Double, mark: PairMark, place: Int) throws(EvaluationError) {
    guard score.isFinite else {
      throw EvaluationError("The score of pair \(place) (from 0) is \(score), not a finite number")
    }
    self.init(score: score, mark: mark)
  }

  /// Pairs of which `scores` and `marks` tell in the same order.
  ///
  /// - Throws: where a score is not a finite number.
  package static func all<Marks: Sequence<PairMark>>(
    scores: [Double], marks: Marks
  ) throws(EvaluationError) -> [ScoredPair] {
    var pairs: [ScoredPair] = []
    pairs.reserveCapacity(scores.count)
    for (score, mark) in zip(scores, marks) {
      pairs.append(try ScoredPair(checking: score, mark: mark, place: pairs.count))
    }
    return pairs
  }

  package init(bits: Int64) { self.bits = bits }

  /// The score in steps.
  package var steps: Int { Int(bits >> Self.markBits) }
  package var score: Double { CosineStep.value(of: steps) }
  package var mark: PairMark { PairMark(bits: UInt32(markNumber)) }
  /// The mark's bits.
  var markNumber: Int { Int(bits & (1 << Self.markBits - 1)) }
  package var same: Bool { bits & 1 == 1 }
  package var fold: Int { markNumber >> 1 }

  package static func < (a: ScoredPair, b: ScoredPair) -> Bool { a.bits < b.bits }
}
