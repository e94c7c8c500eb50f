import Datasets
import Evaluation
import Files
import Foundation
import Inference
import Testing

/// Figures of the IJB protocols beside those of Tests/Recipes/ijb.py, which computes them as insightface does.
@Suite struct TemplateFiguresTests {
  struct Recorded: Sendable {
    let rule: TemplatePooling.Rule
    let isWeighted: Bool
    let areaUnderCurve: Double
    let sameMean: Double
    let differentMean: Double
    /// TAR at FAR 1e-1, 1e-2, 1e-3; nearest: FAR and TAR down to 1e-6.
    let strict: [Double]
    let nearest: [[Double]]
    /// Searches for 30 people, six of whom are in no gallery, and for the others alone.
    let open: Searches
    let closed: Searches
  }

  struct Searches: Sendable {
    let ranks: [[Double]]
    let openSet: [[Double?]]
    let insightFace: [[Double]]
    let thresholds: [[Double]]
    let insightFaceMean: [Double]
    /// Three ranks, then a share and its threshold twice.
    let joined: [Double]?
  }

  /// The recipe's vectors, templates and scores.
  private static func made() throws -> (TemplateList, EmbeddingTable) {
    let (count, width) = (180, 12)
    func values(_ number: Int, _ factor: Int) -> Double {
      Double(((number * factor % (1 << 32)) >> 8) % 4001) / 2000 - 1
    }
    let vectors = (0..<(count * width)).map { i in
      let (image, column) = (i / width, i % width)
      let own = values(image / 6 * width + column + 1, 2_246_822_519)
      return Float((1.25 * own + values(i, 2_654_435_761)) * Double(1 + image % 5))
    }
    let lines = (0..<count).map { image in
      let isSecond = image % 6 >= (image / 6 % 2 == 0 ? 4 : 2)
      return "\(image).jpg \(image / 6 * 2 + (isSecond ? 1 : 0)) \(image / 2 % 3)\n"
    }
    var pairs = ""
    for first in 0..<60 {
      for second in (first + 1)..<60 { pairs += "\(first) \(second) \(first / 2 == second / 2 ? 1 : 0)\n" }
    }
    let list = try TemplateList(
      Self.text(lines.joined(), "templates"), pairs: Self.text(pairs, "pairs"), root: "/faces")
    return (list, try EmbeddingTable(vectors, width: width) { "\($0)" })
  }

  private static func text(_ text: String, _ path: String) throws(DataError) -> DelimitedText {
    try DelimitedText(Array(text.utf8), path: path)
  }

  private static func table(_ recorded: Recorded, _ list: TemplateList, _ images: EmbeddingTable) throws
    -> TemplateTable
  {
    let scores = (0..<180).map { "\($0).jpg \(Double(1 + $0 * 7 % 13) / 16)\n" }.joined()
    let weights = recorded.isWeighted ? try DetectorScores(text(scores, "scores"), of: list).values : nil
    return try TemplateTable(
      of: list.templates, DividedTable(images), TemplatePooling(recorded.rule, weights: weights), nil)
  }

  private static func report(of table: TemplateTable, _ list: TemplateList) throws -> VerificationReport {
    var pairs = list.pairs
    pairs.assignFolds()
    return try VerificationReport(table.scores(of: pairs), folds: .assigned, nil)
  }

  @Test(arguments: recorded) func verification(recorded: Recorded) throws {
    let (list, images) = try Self.made()
    let report = try Self.report(of: Self.table(recorded, list, images), list)
    #expect(report.sameCount == 30 && report.differentCount == 1740)
    #expect(abs(report.areaUnderCurve - recorded.areaUnderCurve) < 1e-12)
    #expect(abs(report.sameScores.mean - recorded.sameMean) < 1e-12)
    #expect(abs(report.differentScores.mean - recorded.differentMean) < 1e-12)
    #expect(report.acceptRates.compactMap(\.trueAcceptRate) == recorded.strict)
    #expect(
      report.acceptRates.map { [$0.nearestPoint.falseAcceptRate, $0.nearestPoint.trueAcceptRate] } == recorded.nearest)
    // With fewer pairs than the FAR needs, insightface prints a figure and the strict rule none.
    #expect(
      report.acceptRates[3].trueAcceptRate == nil && report.acceptRates[3].reason?.contains("10000 pairs") == true)
  }

  @Test(arguments: recorded) func identification(recorded: Recorded) throws {
    let (list, images) = try Self.made()
    let table = try Self.table(recorded, list, images)
    let galleries = try [0..<12, 12..<24].enumerated().map { number, people in
      let lines = people.map { "\($0),\(2 * $0),x\n" }.joined()
      return try TemplateSubjects(Self.text("SUBJECT_ID,TEMPLATE_ID,FILE\n" + lines, "G\(number + 1)"), of: list)
    }
    for (people, expected) in [(30, recorded.open), (24, recorded.closed)] {
      let lines = (0..<people).map { "\(2 * $0 + 1) \($0)\n" }.joined()
      let probes = try TemplateSubjects(Self.text(lines, "probes"), of: list)
      let tasks = GallerySearches.tasks(of: probes, in: galleries, table)
      let searches = try zip(galleries, tasks).map { gallery, tasks in
        let matches = GalleryMatches(tasks, in: gallery.templates, table, keeping: 5, part: 0, of: 1)
        // Parts of the probes add up.
        let parts = (0..<2).map { GalleryMatches(tasks, in: gallery.templates, table, keeping: 5, part: $0, of: 2) }
        #expect(zip(parts[0].competitors, parts[1].competitors).map(+) == matches.competitors)
        #expect((parts[0].largest + parts[1].largest).sorted(by: >).prefix(5) == matches.largest[...])
        return try GallerySearches(gallery.path, templates: 12, tasks, matches)
      }
      let found = searches.map(TemplateIdentificationReport.Gallery.init)
      #expect(found.map { $0.rates.map(\.rate) } == expected.ranks && found.allSatisfy { $0.matedSearches == 12 })
      #expect(found.map { $0.openSet.map(\.truePositiveRate) } == expected.openSet)
      #expect(found.map { $0.insightFace?.map(\.truePositiveRate) } == expected.insightFace)
      for (mine, theirs) in zip(found, expected.thresholds) {
        for (rate, threshold) in zip(try #require(mine.insightFace), theirs) {
          #expect(abs(rate.threshold - threshold) < 1e-12)
        }
      }
      let mean = TemplateIdentificationReport.Mean(of: found, probes: people)
      #expect(zip(mean.insightFaceRates, expected.insightFaceMean).allSatisfy { abs($0 - $1) < 1e-12 })
      #expect(abs(mean.rates[0] - (expected.ranks[0][0] + expected.ranks[1][0]) / 2) < 1e-12)
      #expect(mean.openSet[0] == nil && mean.openSet[1] != nil)
      // A person who is in no gallery has no rank in all of them.
      let joined = JoinedGalleries(searches)
      #expect((joined == nil) == (expected.joined == nil))
      guard let joined, let theirs = expected.joined else { continue }
      let ours = joined.rates.map(\.rate) + joined.insightFace.flatMap { [$0.truePositiveRate, $0.threshold] }
      #expect(ours.count == theirs.count && zip(ours, theirs).allSatisfy { abs($0 - $1) < 1e-12 }, "\(ours)")
    }
  }

  /// A network that gives everybody one vector tells nobody from anybody, whatever the templates' sizes and weights.
  @Test(arguments: TemplatePooling.Rule.allCases) func oneVectorTies(rule: TemplatePooling.Rule) throws {
    let (list, _) = try Self.made()
    let vector = (0..<37).map { Float(sin(Double($0))) }
    let images = try EmbeddingTable((0..<180).flatMap { _ in vector }, width: 37) { "\($0)" }
    let table = try TemplateTable(
      of: list.templates, DividedTable(images),
      TemplatePooling(rule, weights: (0..<180).map { 0.1 + Float($0 % 7) / 9 }), nil)
    let report = try Self.report(of: table, list)
    #expect(report.areaUnderCurve == 0.5 && report.acceptRates[0].trueAcceptRate == 0)
    let gallery = try TemplateSubjects(Self.text((0..<12).map { "\(2 * $0) \($0)\n" }.joined(), "G"), of: list)
    let probes = try TemplateSubjects(Self.text((0..<30).map { "\(2 * $0 + 1) \($0)\n" }.joined(), "P"), of: list)
    let tasks = GallerySearches.tasks(of: probes, in: [gallery], table)[0]
    let matches = GalleryMatches(tasks, in: gallery.templates, table, keeping: 3, part: 0, of: 1)
    #expect(matches.competitors == (0..<30).map { $0 < 12 ? 11 : 12 } && matches.largest == [1, 1, 1])
    let searches = try GallerySearches("G", templates: 12, tasks, matches)
    #expect(TemplateIdentificationReport.Gallery(searches).openSet[1].truePositiveRate == 0)
  }

  /// Points that scikit-learn leaves out, and ties: `roc_curve` of version 1.9.1, flipped, its first nearest point.
  @Test func nearestPoints() throws {
    // From the highest score: a row of false accepts, of which only its ends are points.
    let kinds = Array("1100000000110100100000000010000000000")
    let scores = kinds.indices.map { Double(-$0) / 64 }
    let curve = try ROCCurve(
      of: RankedScores(
        ScoredPair.all(scores: scores, marks: kinds.map { PairMark(same: $0 == "1") }), foldCount: 1, nil))
    let nearest = try [0.0, 0.12, 0.14, 0.2, 0.3, 0.45, 0.6].map { try curve.nearestPoint(to: $0) }
    #expect(nearest.map { Int(($0.falseAcceptRate * 30).rounded()) } == [0, 0, 8, 8, 9, 11, 20])
    #expect(nearest.map { Int(($0.trueAcceptRate * 7).rounded()) } == [2, 2, 4, 4, 5, 6, 7])
  }

  /// S strangers' searches: at most floor(S / n) of them find anybody, equal scores together.
  @Test func openSetRates() {
    let strangers = (0..<250).map { Double($0 / 2) / 250 }
    let mated = [(0.499, true), (0.4981, true), (0.4, true), (0.49, false), (0.498, true)].map {
      OpenSetRate.Mated(score: $0.0, isFirst: $0.1)
    }
    let rates = OpenSetRate.usual(strangers: strangers, mated: mated)
    // The third best and the fourth are 0.492: with them four would be found.
    #expect(rates[0].threshold == 0.492.nextUp && rates[0].reachedFalsePositiveRate == 2 / 250.0)
    #expect(rates[0].truePositiveRate == 3 / 5.0)
    #expect(rates[1].reachedFalsePositiveRate! <= 0.1 && rates[1].falsePositiveRate == 0.1)
    let few = OpenSetRate.usual(strangers: Array(strangers.prefix(99)), mated: mated)
    #expect(few[0].truePositiveRate == nil && few[0].reason?.contains("needs 100 searches") == true)
    #expect(few[1].truePositiveRate != nil)
  }

  @Test(
    arguments: [
      (1e-3, 999, 0, "needs 1000 pairs of different people, there are 999"), (1e-3, 1000, 1, nil), (0.29, 100, 29, nil),
      (0.07, 100, 7, nil), (0.3, 3, 0, "needs 4 pairs of different people, there are 3"), (0.5, 7, 3, nil),
    ] as [(Double, Int, Int, String?)])
  func acceptablePairs(rate: Double, pairs: Int, most: Int, shortage: String?) {
    #expect(AcceptRate.acceptable(at: rate, differentCount: pairs) == most)
    #expect(AcceptRate.shortage(at: rate, differentCount: pairs) == shortage)
  }
}
