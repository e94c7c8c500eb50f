package import Datasets
import Files
package import Inference

/// What came of the searches of all probes in one gallery.
package struct GallerySearches: Sendable {
  /// The gallery's list.
  package let path: String
  /// Templates of the gallery that have a vector.
  package let templates: Int
  package let probes: [GalleryMatches.Probe]
  package let matches: GalleryMatches

  /// - Throws: `EvaluationError` where no probe's person is in the gallery.
  package init(
    _ path: String, templates: Int, _ probes: [GalleryMatches.Probe], _ matches: GalleryMatches
  ) throws(EvaluationError) {
    guard probes.contains(where: { $0.mate != nil }) else {
      throw EvaluationError("\(path.printableName): nobody of the probes is in this gallery")
    }
    (self.path, self.templates, self.probes, self.matches) = (path, templates, probes, matches)
  }

  /// For each gallery the searches of all probes that have a vector, in the probes' order.
  ///
  /// The mate's score is that of the person's template in the gallery itself, or else in another one.
  package static func tasks(
    of probes: TemplateSubjects, in galleries: [TemplateSubjects], _ table: TemplateTable
  ) -> [[GalleryMatches.Probe]] {
    let places = galleries.map { gallery in
      Dictionary(zip(gallery.subjects, gallery.templates).filter { table.has($0.1) }) { first, _ in first }
    }
    return places.map { own in
      zip(probes.templates, probes.subjects).filter { table.has($0.0) }.map { template, subject in
        let anywhere = own[subject] ?? places.lazy.compactMap { $0[subject] }.first
        return GalleryMatches.Probe(
          template: template, mate: own[subject], mateScore: anywhere.map { table.score(template, $0) })
      }
    }
  }

  /// Ranks of the searches whose person is in the gallery.
  package var ranks: [Int] {
    probes.indices.filter { probes[$0].mate != nil }.map { matches.competitors[$0] + 1 }
  }

  /// Searches for people of the gallery.
  package var mated: [OpenSetRate.Mated] {
    probes.indices.compactMap { place in
      guard probes[place].mate != nil, let score = probes[place].mateScore else { return nil }
      return .init(score: score, isFirst: matches.competitors[place] == 0)
    }
  }

  /// The best scores of the searches for people who are not in the gallery.
  package var strangers: [Double] {
    probes.indices.filter { probes[$0].mate == nil }.map { matches.nearestStrangers[$0] }
  }
}

/// TPIR at FPIR as InsightFace's programs compute it, which choose other points than `OpenSetRate`.
package struct InsightFaceRate: Codable, Equatable, Sendable {
  /// The FPIR, or share of false pairs, that was asked for.
  package let falsePositiveRate: Double
  package let truePositiveRate: Double
  /// Scores must be above it.
  package let threshold: Double

  static let shares = [0.01, 0.1]

  /// As `ijb_evals.py`: the threshold is the floor(S FPIR)-th best score of the S strangers' searches, at least the
  /// first; the mate must be first, above it. Nil without strangers.
  package static func ofStrangers(_ scores: [Double], _ mated: [OpenSetRate.Mated]) -> [InsightFaceRate]? {
    guard !scores.isEmpty else { return nil }
    let falling = scores.sorted(by: >)
    return shares.map { share in
      let threshold = falling[max(Int(Double(falling.count) * share) - 1, 0)]
      let found = mated.count { $0.isFirst && $0.score > threshold }
      return InsightFaceRate(
        falsePositiveRate: share, truePositiveRate: Double(found) / Double(mated.count), threshold: threshold)
    }
  }
}

/// All galleries as one, as InsightFace's `ijb_1n.py` searches them: every probe's person is in it once.
package struct JoinedGalleries: Codable, Equatable, Sendable {
  package let templates: Int
  package let rates: [IdentificationReport.RankRate]
  /// The share of searches whose mate's score is above a threshold: with S searches, the ceil(S share)-th greatest
  /// score of all pairs of a probe and a stranger. The share is one of false pairs to searches.
  package let insightFace: [InsightFaceRate]

  /// How many of the greatest scores with strangers the figures need.
  static func kept(searches: Int) -> Int {
    InsightFaceRate.shares.map { place($0, searches) }.max()!
  }

  private static func place(_ share: Double, _ searches: Int) -> Int {
    Int((Double(searches) * share).rounded(.up))
  }

  /// Nil where a probe's person is in no gallery or in several, or the galleries hold too few strangers.
  package init?(_ searches: [GallerySearches]) {
    let probes = searches[0].probes.indices
    guard probes.allSatisfy({ place in searches.count { $0.probes[place].mate != nil } == 1 }) else { return nil }
    let strangers = searches.flatMap(\.matches.largest).sorted(by: >)
    guard strangers.count >= Self.kept(searches: probes.count) else { return nil }
    templates = searches.reduce(0) { $0 + $1.templates }
    rates = IdentificationReport.rates(
      of: probes.map { place in searches.reduce(1) { $0 + $1.matches.competitors[place] } }, at: [1, 5, 10])
    let mates = searches[0].probes.map { $0.mateScore! }
    insightFace = InsightFaceRate.shares.map { share in
      let threshold = strangers[Self.place(share, probes.count) - 1]
      return InsightFaceRate(
        falsePositiveRate: share, truePositiveRate: Double(mates.count { $0 > threshold }) / Double(mates.count),
        threshold: threshold)
    }
  }
}
