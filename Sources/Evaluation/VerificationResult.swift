package import Datasets
import Inference
package import MPI

/// What a verification came to in all, and pair by pair those of this rank's part.
package struct VerificationResult: Sendable {
  /// The same on every rank.
  package let report: VerificationReport
  /// The pairs that were compared, in the order of the list: those of unreadable images are not among them.
  package let pairs: [FacePair]
  /// The score of each of `pairs`.
  package let scored: [ScoredPair]
  /// Norms of the embeddings, of the images as they are.
  package let norms: Distribution
  package let badImages: [BadImage]

  /// The cosine of each of `pairs`.
  package var scores: [Double] { scored.map(\.score) }

  /// Throws an `EvaluationError` where no pair of one kind is left, the same on every rank.
  init(of table: consuming DividedTable, _ verification: Verification, _ communicator: Communicator) throws {
    (norms, badImages) = (table.norms, table.badImages)
    // The rows have done their part when the scores are known: scores are sorted in the memory that they leave.
    (pairs, scored) = try Self.scores(of: consume table, verification, communicator)
    report = try VerificationReport(scored, folds: verification.folds, communicator)
  }

  private static func scores(
    of table: consuming DividedTable, _ verification: Verification, _ communicator: Communicator
  ) throws -> ([FacePair], [ScoredPair]) {
    let own = verification.pairs(communicator)
    guard let templates = verification.templates else {
      let cosines = DividedCosines(table, communicator)
      let pairs = own.all(where: cosines.has)
      return (pairs, try cosines.scores(of: pairs))
    }
    let vectors = try TemplateTable(of: templates, table, verification.pooling, communicator)
    let pairs = own.all { vectors.has($0.first) && vectors.has($0.second) }
    return (pairs, vectors.scores(of: pairs))
  }
}

extension VerificationResult {
  /// The pairs and scores of all ranks, on all, which all call it: for drawings of some ten thousand pairs.
  package func joined(_ communicator: Communicator) throws -> VerificationResult {
    let counts = try communicator.allGather(pairs.count)
    let numbers = pairs.flatMap { [$0.first, $0.second, Int($0.mark.bits)] }
    let all = try communicator.allGather(numbers, counts: counts.map { 3 * $0 })
    let scores = try communicator.allGather(scored.map(\.bits), counts: counts)
    return VerificationResult(
      report: report,
      pairs: stride(from: 0, to: all.count, by: 3).map {
        FacePair(all[$0], all[$0 + 1], PairMark(bits: UInt32(all[$0 + 2])))
      },
      scored: scores.map(ScoredPair.init(bits:)), norms: norms, badImages: badImages)
  }

  private init(
    report: VerificationReport, pairs: [FacePair], scored: [ScoredPair], norms: Distribution, badImages: [BadImage]
  ) {
    (self.report, self.pairs, self.scored) = (report, pairs, scored)
    (self.norms, self.badImages) = (norms, badImages)
  }
}

extension [FacePair] {
  /// Those for which it holds; where it holds for all no copy is made.
  fileprivate func all(where holds: (FacePair) -> Bool) -> [FacePair] { allSatisfy(holds) ? self : filter(holds) }
}
