import Datasets
import Evaluation
import Foundation
import Inference
import MPI
import Testing
import VectorKernels

extension RankTests {
  /// Scores that ranks share in any way, against the same scores in one process.
  @Suite struct DividedScoresTests {
    let world = RankTests.world

    /// Pairs by kind, of prescribed folds or ten assigned ones.
    struct Case: CustomStringConvertible {
      let description: String
      let folds: CrossValidation.Folds
      let pairs: [ScoredPair]

      /// `score(i, same)` in steps of 1 / 2^20; `same(i)`.
      init(
        _ name: String, _ count: Int, folds prescribed: Int? = nil, same: (Int) -> Bool, score: (Int, Bool) -> Int
      ) {
        description = name + (prescribed.map { ", \($0) folds" } ?? "")
        folds = prescribed.map { .prescribed($0) } ?? .assigned
        var assignment = FoldAssignment()
        pairs = (0..<count).map { index in
          let isSame = same(index)
          let assigned = assignment.mark(same: isSame)
          let mark = prescribed.map { PairMark(same: isSame, fold: index * $0 / count) } ?? assigned
          return ScoredPair(score: Double(score(index, isSame)) / 0x1p20, mark: mark)
        }
      }

      /// Of place `index`, below `limit`.
      static func random(_ index: Int, _ limit: Int) -> Int {
        var generator = SplitMix64(state: UInt64(index))
        return Int.random(in: 0..<limit, using: &generator)
      }
    }

    static let cases = [
      Case("ties", 6000, same: { $0 % 5 == 0 }) { Case.random($0, 40) << 14 - ($1 ? 0 : 1 << 17) },
      Case("ties", 4000, folds: 10, same: { $0 % 3 == 0 }) { Case.random($0, 900) << 9 - ($1 ? 0 : 1 << 17) },
      Case("no ties", 9000, folds: 2, same: { Case.random($0 + 1 << 20, 2) == 0 }) {
        Case.random($0, 1 << 20) - ($1 ? 0 : 1 << 18)
      },
      Case("all equal", 500, same: { $0 % 2 == 0 }) { _, _ in 1 << 19 },
      Case("two scores", 700, folds: 10, same: { $0 % 2 == 0 }) { $1 ? 1 << 18 : -1 << 18 },
      // Rows in which every step adds one pair of one kind: scikit-learn leaves them out.
      Case("rows", 5000, same: { $0 / 700 % 2 == 1 }) { index, _ in -index },
      Case("parted", 3000, folds: 2, same: { $0 % 750 < 10 }) { $1 ? 1 << 19 + $0 : $0 },
      Case("mixed up", 300, same: { $0 < 30 }) { $1 ? -$0 : $0 },
      Case("a fold alone", 400, folds: 4, same: { $0 < 150 }) { index, _ in Case.random(index, 200) << 10 },
      Case("few", 5, same: { $0 < 2 }) { index, _ in index << 10 },
    ]

    /// Whom the pairs are with: the rank of the pair with this number.
    static let divisions: [@Sendable (Int, Int) -> Int] = [
      { index, size in index % size },
      { index, size in Case.random(index, size) },
      // Rank 0 has none where there are several; the last has all.
      { index, size in size == 1 ? 0 : 1 + index % (size - 1) },
      { _, size in size - 1 },
      { index, size in min(index / 10, size - 1) },
    ]

    private func own(_ pairs: [ScoredPair], _ division: Int) -> [ScoredPair] {
      pairs.indices.filter { Self.divisions[division]($0, world.size) == world.rank }.map { pairs[$0] }
    }

    @Test(arguments: cases, divisions.indices) func reports(_ test: Case, division: Int) throws {
      let whole = try VerificationReport(test.pairs, folds: test.folds, nil)
      let divided = try VerificationReport(own(test.pairs, division), folds: test.folds, world)
      #expect(divided == whole)
      #expect((whole.crossValidation == nil) == ["few", "a fold alone, 4 folds"].contains(test.description))
    }

    /// The points: with a reference that knows no ranks and no blocks.
    @Test(arguments: cases, divisions.indices) func curves(_ test: Case, division: Int) throws {
      let scores = try RankedScores(own(test.pairs, division), foldCount: test.folds.count, world)
      let curve = try ROCCurve(of: scores)
      let reference = PlainCurve(test.pairs)
      var points: [PlainCurve.Point] = []
      try curve.forEachPoint { points.append(.init($0)) }
      #expect(points == (world.rank == 0 ? reference.points : []))
      #expect(try curve.drawing.map(PlainCurve.Point.init) == reference.drawing)
      #expect(try curve.equalErrorRate == reference.equalErrorRate)
      for rate in [0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.77, 1] {
        #expect(try .init(curve.nearestPoint(to: rate)) == reference.nearestPoint(to: rate), "\(rate)")
        let count = Int(rate * Double(scores.differentCount))
        #expect(try .init(curve.point(acceptingAtMost: count)) == reference.point(acceptingAtMost: count))
      }
    }

    @Test(arguments: [0, 3]) func filesOfPoints(division: Int) throws {
      let pairs = Self.cases[2].pairs
      let name = try world.broadcast(encoding: UUID().uuidString)
      let paths = ["divided", "whole \(world.rank)"].map { NSTemporaryDirectory() + "\(name) \($0).csv" }
      try ROCCurve(of: RankedScores(own(pairs, division), foldCount: 2, world)).write(to: paths[0])
      try ROCCurve(of: RankedScores(pairs, foldCount: 2, nil)).write(to: paths[1])
      try world.barrier()
      let files = try paths.map { try Data(contentsOf: URL(filePath: $0)) }
      #expect(files[0] == files[1] && files[0].count > 9000 * 20)
      try world.barrier()
      for path in world.rank == 0 ? paths : [paths[1]] { try FileManager.default.removeItem(atPath: path) }
    }

    @Test func aKindIsMissingOnAllRanks() throws {
      let pairs = Self.cases[0].pairs.filter(\.same)
      for (all, count) in [(pairs, 1200), ([], 0)] {
        let words = "Verification needs pairs of the same person and of different people, but there are \(count) and 0"
        #expect(throws: EvaluationError(words)) {
          try VerificationReport(own(all, 0), folds: .assigned, world)
        }
      }
    }
  }
}

/// The curve of pairs that one process has, point by point.
private struct PlainCurve {
  struct Point: Equatable {
    let threshold: Double
    let falseAcceptRate: Double
    let trueAcceptRate: Double
  }

  let points: [Point]
  private let accepted: [(same: Int, different: Int)]

  init(_ pairs: [ScoredPair]) {
    let levels = Set(pairs.map(\.score)).sorted(by: >)
    let all = (same: pairs.count { $0.same }, different: pairs.count { !$0.same })
    var counts: [Double: (same: Int, different: Int)] = [:]
    for pair in pairs {
      if pair.same { counts[pair.score, default: (0, 0)].same += 1 }
      if !pair.same { counts[pair.score, default: (0, 0)].different += 1 }
    }
    accepted = levels.reduce(into: [(0, 0)]) { sums, level in
      let (last, more) = (sums[sums.count - 1], counts[level]!)
      sums.append((last.0 + more.same, last.1 + more.different))
    }
    let middles = zip(levels, levels.dropFirst()).map { ($0 + $1) / 2 }
    let thresholds = [levels[0].nextUp] + middles + [levels[levels.count - 1]]
    points = zip(thresholds, accepted).map { threshold, counts in
      Point(
        threshold: threshold, falseAcceptRate: Double(counts.different) / Double(all.different),
        trueAcceptRate: Double(counts.same) / Double(all.same))
    }
  }

  func point(acceptingAtMost count: Int) -> Point { points[accepted.lastIndex { $0.different <= count }!] }

  var equalErrorRate: Double {
    let differences = points.map { $0.falseAcceptRate - (1 - $0.trueAcceptRate) }
    let after = differences.firstIndex { $0 >= 0 }!
    let share = -differences[after - 1] / (differences[after] - differences[after - 1])
    let rates = (points[after - 1].falseAcceptRate, points[after].falseAcceptRate)
    return rates.0 + share * (rates.1 - rates.0)
  }

  /// Of the kept points the last of those that are nearest.
  func nearestPoint(to rate: Double) -> Point {
    let kept = points.indices.filter { index in
      guard index > 1, index < points.count - 1 else { return true }
      let (before, here, behind) = (accepted[index - 1], accepted[index], accepted[index + 1])
      return (behind.same - here.same, behind.different - here.different)
        != (here.same - before.same, here.different - before.different)
    }
    let distances = kept.map { abs(points[$0].falseAcceptRate - rate) }
    return points[kept[distances.lastIndex(of: distances.min()!)!]]
  }

  var drawing: [Point] {
    let all = accepted[accepted.count - 1].different
    let stated = Set(
      (1...6).map { power in
        let count = all / (0..<power).reduce(1) { product, _ in 10 * product }
        return accepted.lastIndex { $0.different <= count }!
      })
    var taken = [points[0]]
    for (index, next) in points.enumerated().dropFirst().dropLast() {
      let last = taken[taken.count - 1]
      let across = next.falseAcceptRate - last.falseAcceptRate
      let up = next.trueAcceptRate - last.trueAcceptRate
      if across >= 0.005 || up >= 0.005 || across > 0.05 * last.falseAcceptRate
        || up > 0.05 * (1 - last.trueAcceptRate) || stated.contains(index)
      {
        taken.append(next)
      }
    }
    return taken + [points[points.count - 1]]
  }
}

extension PlainCurve.Point {
  init(_ point: ROCCurve.Point) {
    self.init(
      threshold: point.threshold, falseAcceptRate: point.falseAcceptRate, trueAcceptRate: point.trueAcceptRate)
  }
}
