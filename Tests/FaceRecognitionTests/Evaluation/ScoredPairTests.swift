import Datasets
import Evaluation
import Inference
import Testing

@Suite struct ScoredPairTests {
  /// Of 2^-44, from the lowest score to the highest.
  static let steps = [-(1 << 44), 1 - 1 << 44, -1 << 43, -2, -1, 0, 1, 3, 1 << 43, 1 << 44 - 1, 1 << 44]
  static let marks = [0, 1, 9, PairMark.foldLimit - 1].flatMap { fold in
    [false, true].map { PairMark(same: $0, fold: fold) }
  }

  @Test(arguments: steps, marks) func bothWays(steps: Int, mark: PairMark) throws {
    let score = Double(steps) / 17_592_186_044_416
    let pair = ScoredPair(score: score, mark: mark)
    #expect(pair.steps == steps && pair.score == score)
    #expect(pair.mark == mark && pair.same == mark.same && pair.fold == mark.fold)
    #expect(ScoredPair(bits: pair.bits).bits == pair.bits)
  }

  /// The order is that of the scores; the mark decides between equal ones alone.
  @Test func order() {
    let pairs = Self.steps.flatMap { steps in
      Self.marks.map { ScoredPair(score: Double(steps) / 0x1p44, mark: $0) }
    }
    for (place, pair) in pairs.enumerated() {
      for other in pairs[(place + 1)...] { #expect(pair < other && !(other < pair)) }
    }
  }

  @Test func scoresAreRounded() {
    let mark = PairMark(same: false)
    #expect(ScoredPair(score: 0.75 * 0x1p-44, mark: mark).steps == 1)
    #expect(ScoredPair(score: -0.25 * 0x1p-44, mark: mark).steps == 0)
    // Rounding leaves cosines an ulp outside.
    #expect(ScoredPair(score: 1.0.nextUp, mark: mark).score == 1)
    #expect(ScoredPair(score: (-1.0).nextDown, mark: mark).score == -1)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity]) func notANumber(score: Double) {
    #expect(throws: EvaluationError("The score of pair 7 (from 0) is \(score), not a finite number")) {
      try ScoredPair(checking: score, mark: PairMark(same: true), place: 7)
    }
  }

  /// By counting; in two parts as in one.
  @Test func assignedFolds() {
    let same = (0..<60).map { $0 % 3 == 0 || $0 > 50 }
    var whole = FoldAssignment()
    let marks = same.map { whole.mark(same: $0) }
    for (place, mark) in marks.enumerated() {
      #expect(mark.same == same[place] && mark.fold == same[..<place].count { $0 == same[place] } % 10)
    }
    var part = FoldAssignment(afterSame: same[..<41].count { $0 }, different: same[..<41].count { !$0 })
    #expect(same[41...].map { part.mark(same: $0) } == Array(marks[41...]) && part == whole)
  }
}
