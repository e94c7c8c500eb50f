import Evaluation
import Files
import Foundation
import Inference
import Testing

@Suite struct VerificationReportTests {
  /// Scores with many ties; all of them binary fractions, so that NumPy has the same to the last bit (of int64 i):
  ///
  ///     i = np.arange(n); same = i % k == 0
  ///     scores = (((i * 2654435761 % 2**32) >> 8) % levels) / levels - 0.5 + 0.25 * same
  private func data(_ n: Int, _ k: Int, _ levels: Int) -> (scores: [Double], same: [Bool]) {
    let same = (0..<n).map { $0 % k == 0 }
    let scores = (0..<n).map { i in
      Double(((i * 2_654_435_761 % (1 << 32)) >> 8) % levels) / Double(levels) - 0.5 + (same[i] ? 0.25 : 0)
    }
    return (scores, same)
  }

  private func expectNear(_ value: Double?, _ expected: Double, _ what: String) {
    #expect(value.map { abs($0 - expected) < 1e-12 } ?? false, "\(what): \(String(describing: value)), not \(expected)")
  }

  /// scikit-learn 1.9.1 and NumPy 2.4.6: `roc_auc_score`; the EER by `brentq` on `interp1d` of
  /// `roc_curve(drop_intermediate=False)`; precision, recall and F1 of `precision_recall_fscore_support`; TAR the largest
  /// tpr with fpr * D <= D // 10^k; thresholds the lowest argmax, in whole numbers, over midpoints of `np.unique` of the scores
  /// (and over the lowest score and the number above the highest), accuracies `(np.mean(s[y] >= t) + np.mean(s[~y] < t)) / 2`,
  /// `np.std(ddof=1)`; VAL at the lowest of the same thresholds with `(s[~y] >= t).sum() <= D // 1000` on the other folds;
  /// InsightFace's by its `calculate_roc` over `np.arange(0, 4, 0.01)` with `dist = 2 - 2 s`.
  @Test func prescribedFoldsEqualNumPys() throws {
    let (scores, same) = data(6000, 2, 256)
    let report = try VerificationReport(scores: scores, same: same, folds: (0..<6000).map { $0 / 600 })
    #expect(report.sameCount == 3000 && report.differentCount == 3000)
    #expect(report.best.threshold == -0.091796875)
    expectNear(report.best.accuracy, 0.6256666666666667, "accuracy")
    expectNear(report.best.precision, 0.5878787878787879, "precision")
    expectNear(report.best.recall, 0.8406666666666667, "recall")
    expectNear(report.best.f1, 0.6919067215363511, "F1")
    expectNear(report.areaUnderCurve, 0.7187992222222223, "AUC")
    expectNear(report.equalErrorRate, 0.3751587301587302, "EER")
    expectNear(report.sameScores.mean, 0.24820572916666667, "mean")
    expectNear(report.sameScores.standardDeviation, 0.28852916591405814, "standard deviation")
    #expect(report.sameScores.minimum == -0.25 && report.sameScores.maximum == 0.74609375)
    for (rate, expected) in zip(report.acceptRates, [0.348, 0.25766666666666665, 0.25]) {
      expectNear(rate.trueAcceptRate, expected, "TAR at FAR \(rate.falseAcceptRate)")
    }
    let folds = try #require(report.crossValidation)
    #expect(folds.prescribed)
    expectNear(folds.mean, 0.6226666666666667, "mean accuracy")
    expectNear(folds.standardDeviation, 0.004245549594342841, "standard deviation")
    expectNear(folds.standardError, 0.001342560663732729, "standard error")
    expectNear(folds.insightFace?.mean, 0.6226666666666666, "InsightFace's mean")
    expectNear(folds.insightFace?.deviation, 0.004163331998932265, "InsightFace's deviation")
    let rate = try #require(folds.validationRate)
    expectNear(rate.mean, 0.25, "VAL")
    expectNear(rate.standardDeviation, 0.004157397096415488, "deviation of VAL")
    #expect(rate.falseAcceptRate == 0.001 && rate.reachedFalseAcceptRate == 0)
    #expect(
      folds.thresholds == [
        -0.240234375, -0.107421875, -0.091796875, -0.091796875, 0.052734375, -0.166015625, -0.099609375, -0.091796875,
        -0.064453125, 0.052734375,
      ])
  }

  @Test func assignedFoldsEqualNumPys() throws {
    let (scores, same) = data(5000, 11, 1024)
    let report = try VerificationReport(scores: scores, same: same)
    #expect(report.sameCount == 455)
    // Accepting nobody is right for 91 % of these pairs: 50 % when both kinds count alike.
    #expect(report.best.threshold == 0.41845703125)
    expectNear(report.best.accuracy, 0.6254500175292255, "accuracy")
    expectNear(report.best.precision, 0.2909441233140655, "precision")
    expectNear(report.best.recall, 0.33186813186813185, "recall")
    expectNear(report.best.f1, 0.31006160164271046, "F1")
    expectNear(report.areaUnderCurve, 0.717015196025097, "AUC")
    expectNear(report.equalErrorRate, 0.3761421319796954, "EER")
    for (rate, expected) in zip(report.acceptRates, [0.34725274725274724, 0.2571428571428571, 0.24835164835164836]) {
      expectNear(rate.trueAcceptRate, expected, "TAR at FAR \(rate.falseAcceptRate)")
    }
    // Folds: the rank within the pair's kind, mod 10.
    let folds = try #require(report.crossValidation)
    #expect(!folds.prescribed)
    expectNear(folds.mean, 0.5991360510140437, "mean accuracy")
    expectNear(folds.standardDeviation, 0.018107527709804134, "standard deviation")
    expectNear(folds.standardError, 0.005726103035759351, "standard error")
    expectNear(folds.accuracies[9], 0.5729319627998042, "last fold")
    expectNear(folds.validationRate?.mean, 0.24855072463768116, "VAL")
    expectNear(folds.validationRate?.standardDeviation, 0.05653263402528092, "deviation of VAL")
    expectNear(folds.validationRate?.reachedFalseAcceptRate, 0.00110035339110229, "FAR of the folds")
    // InsightFace has no folds of its own for such pairs.
    #expect(folds.insightFace == nil)
  }

  /// InsightFace counts right answers, whatever the kinds' numbers; only prescribed folds have its figure.
  @Test func insightFaceCountsAnswers() throws {
    let (scores, same) = data(5000, 11, 1024)
    var counts = [0, 0]
    let folds = same.map { isSame in
      counts[isSame ? 1 : 0] += 1
      return (counts[isSame ? 1 : 0] - 1) % 10
    }
    let report = try VerificationReport(scores: scores, same: same, folds: folds)
    expectNear(report.crossValidation?.mean, 0.5991360510140437, "mean accuracy")
    expectNear(report.crossValidation?.insightFace?.mean, 0.9314041256165024, "InsightFace's mean")
    expectNear(report.crossValidation?.insightFace?.deviation, 0.005313419397991644, "InsightFace's deviation")
  }

  @Test func aFoldOfOneKindIsTold() throws {
    let (scores, same) = data(400, 2, 256)
    let folds = same.indices.map { same[$0] && $0 < 200 ? 1 : $0 % 3 + 2 }
    let report = try VerificationReport(scores: scores, same: same, folds: folds)
    #expect(report.crossValidation == nil)
    #expect(
      report.crossValidationReason
        == "accuracy needs pairs of both kinds, fold 1 of 4 has 100 of the same person and 0 of different people")
  }

  @Test func tooFewPairsOfDifferentPeople() throws {
    let (scores, same) = data(2000, 2, 256)
    let rates = try VerificationReport(scores: scores, same: same).acceptRates
    #expect(rates.map { $0.trueAcceptRate != nil } == [true, true, true, false, false, false])
    #expect(rates[3].reason == "needs 10000 pairs of different people, there are 1000")
    for (rate, limit) in zip(rates, [100, 10, 1]) {
      #expect(try #require(rate.reachedFalseAcceptRate) * 1000 <= Double(limit))
    }
  }

  @Test func perfectScores() throws {
    let same = (0..<40).map { $0 < 20 }
    let report = try VerificationReport(scores: same.map { $0 ? Float(0.5) : 0.25 }, same: same)
    #expect(report.best.threshold == 0.375)
    #expect(report.best.accuracy == 1 && report.best.precision == 1 && report.best.recall == 1 && report.best.f1 == 1)
    #expect(report.areaUnderCurve == 1 && report.equalErrorRate == 0)
    #expect(report.crossValidation?.mean == 1 && report.crossValidation?.standardDeviation == 0)
    #expect(report.acceptRates[0].trueAcceptRate == 1 && report.acceptRates[0].reachedFalseAcceptRate == 0)
  }

  @Test func equalScores() throws {
    let same = (0..<50).map { $0 % 5 == 0 }
    let report = try VerificationReport(scores: same.map { _ in 0.5 }, same: same)
    #expect(report.areaUnderCurve == 0.5 && report.equalErrorRate == 0.5)
    // Accepting all and nobody are equally right: the lowest threshold is taken.
    #expect(report.best.accuracy == 0.5 && report.best.precision == 0.2 && report.best.recall == 1)
    #expect(report.best.threshold == 0.5)
    #expect(report.acceptRates[0].trueAcceptRate == 0)
  }

  @Test func reversedScores() throws {
    let same = (0..<20).map { $0 < 10 }
    let report = try VerificationReport(scores: same.map { $0 ? -1.0 : 1.0 }, same: same)
    #expect(report.areaUnderCurve == 0 && report.equalErrorRate == 1)
    // Accepting everything and nothing are equally right: the lowest threshold is taken.
    #expect(report.best.accuracy == 0.5 && report.best.threshold == -1)
  }

  /// Scores that are one step apart: the threshold in their middle parts them.
  @Test func neighbouringScores() throws {
    let low = 5_277_655_813_325 * 0x1p-44
    let report = try VerificationReport(scores: [low, low + 0x1p-44], same: [false, true])
    #expect(report.best.threshold == low + 0x1p-45 && report.best.accuracy == 1)
    #expect(report.crossValidation == nil && report.crossValidationReason?.contains("there are 1") == true)
  }

  @Test func refusals() {
    #expect(throws: EvaluationError("The score of pair 1 (from 0) is nan, not a finite number")) {
      try VerificationReport(scores: [0.1, .nan], same: [true, false])
    }
    #expect(throws: EvaluationError.self) { try VerificationReport(scores: [0.1, 0.2], same: [true, true]) }
    #expect(throws: EvaluationError.self) { try VerificationReport(scores: [Double](), same: []) }
  }

  @Test func jsonBothWaysAndOrderOfPairs() throws {
    let (scores, same) = data(3000, 3, 256)
    let folds = (0..<3000).map { 5 + $0 / 300 }
    let report = try VerificationReport(scores: scores, same: same, folds: folds)
    let json = try JSONText.indented(report)
    #expect(try JSONDecoder().decode(VerificationReport.self, from: json) == report)
    let reversed = try VerificationReport(
      scores: scores.reversed(), same: same.reversed(), folds: folds.reversed())
    #expect(try JSONText.indented(reversed) == json)
  }

  @Test func manyPairs() throws {
    let (scores, same) = data(250_000, 2, 1 << 20)
    let report = try VerificationReport(scores: scores, same: same)
    #expect(report.curve.count < 1000)
    #expect(report.curve.first?.trueAcceptRate == 0 && report.curve.last?.falseAcceptRate == 1)
    #expect(report.acceptRates.map { $0.trueAcceptRate != nil } == [true, true, true, true, true, false])
  }

  @Test func table() throws {
    let same = (0..<40).map { $0 < 20 }
    let report = try VerificationReport(scores: same.map { $0 ? 0.5 : 0.25 }, same: same)
    #expect(
      report.description == """
        pairs                          40  20 of the same person, 20 of different people
        accuracy, in-sample      100.00 %  balanced, at the best threshold for these pairs, 0.3750
        precision                100.00 %  there
        recall                   100.00 %  there
        F1                         1.0000  there
        accuracy, 10-fold        100.00 %  balanced, deviation 0.00 %, standard error 0.00 %, assigned folds
        AUC                        1.0000
        EER                        0.00 %
        TAR at FAR 1e-1          100.00 %  threshold 0.3750
        TAR at FAR 1e-2                 -  needs 100 pairs of different people, there are 20
        TAR at FAR 1e-3                 -  needs 1000 pairs of different people, there are 20
        TAR at FAR 1e-4                 -  needs 10000 pairs of different people, there are 20
        TAR at FAR 1e-5                 -  needs 100000 pairs of different people, there are 20
        TAR at FAR 1e-6                 -  needs 1000000 pairs of different people, there are 20
        score, same person         0.5000  deviation 0.0000, 0.5000 to 0.5000
        score, different people    0.2500  deviation 0.0000, 0.2500 to 0.2500
        """)
  }
}
