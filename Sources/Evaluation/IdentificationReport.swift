package import Datasets
import Files
import Foundation
package import Inference

/// What a search for people in a gallery came to: the same bytes on any number of ranks.
package struct IdentificationReport: ReportOfModel, Codable, Equatable, Sendable {
  package struct RankRate: Codable, Equatable, Sendable {
    package let rank: Int
    /// Searches whose mate is among the first `rank`.
    package let found: Int
    package let rate: Double
  }

  /// Nil where the embeddings came from files, as are the network's name, input and steps.
  package let model: String?
  /// The files; nil where a model was asked.
  package let embeddings: [String]?
  package let network: String?
  package let embeddingWidth: Int
  package let inputSide: Int?
  package let trainedSteps: Int?
  package let flip: FlipTest
  package let probes: String
  package let gallery: String?
  package let distractors: String?
  package let people: Int
  package let probeImages: Int
  package let galleryImages: Int?
  package let distractorImages: Int?
  package let searches: Int
  /// Least and most images that a search looks through, its mate among them.
  package let smallestGallery: Int
  package let largestGallery: Int
  /// The cumulative match characteristic: at ranks 1 and 5, and at 10, 20, 50 and 100 where the gallery is larger.
  package let rates: [RankRate]
  package let mateScores: Distribution
  /// Of the probes' images as they are, not mirrored; where files hold the sums of both looks, of the sums.
  package let embeddingNorms: Distribution
  package let badImages: [BadImage]
  /// Folders of distractors that are named like people searched for: perhaps the same people.
  package let sharedNames: Int

  /// Searches for people who are not in the gallery.
  package struct OpenSet: Codable, Equatable, Sendable {
    package let people: Int
    package let searches: Int
    /// At FPIR 0.01 and 0.1.
    package let rates: [OpenSetRate]
    /// The best score of each.
    package let bestScores: Distribution

    init(_ results: IdentificationResults, people: Int) {
      let best = results.strangers.map(\.score)
      let mated = zip(results.searches.scores, results.ranks).map { OpenSetRate.Mated(score: $0, isFirst: $1 == 1) }
      self.people = people
      searches = best.count
      rates = OpenSetRate.usual(strangers: best, mated: mated)
      bestScores = Distribution(of: best)
    }
  }

  /// Nil unless asked for.
  package let openSet: OpenSet?

  package static func rates(of ranks: [Int], largestGallery: Int) -> [RankRate] {
    Self.rates(of: ranks, at: [1, 5, 10, 20, 50, 100].filter { $0 <= 5 || $0 < largestGallery })
  }

  static func rates(of ranks: [Int], at places: [Int]) -> [RankRate] {
    places.map { rank in
      let found = ranks.count { $0 <= rank }
      return RankRate(rank: rank, found: found, rate: Double(found) / Double(ranks.count))
    }
  }
}

extension IdentificationReport: CustomStringConvertible {
  /// For people.
  package var description: String {
    let norms = [embeddingNorms.mean, embeddingNorms.standardDeviation].map { String(format: "%.3f", $0) }
    let sizes = smallestGallery == largestGallery ? "\(largestGallery)" : "\(smallestGallery) to \(largestGallery)"
    var lines = [
      origin(column: 13),
      "probes       \(probes): \(probeImages) images of \(people) people",
    ]
    if let gallery, let galleryImages { lines.append("gallery      \(gallery): \(galleryImages) images") }
    if let distractors, let distractorImages { lines.append("distractors  \(distractors): \(distractorImages) images") }
    lines += [
      "embeddings   norm \(norms[0]), deviation \(norms[1])" + (flip == .none ? "" : "; \(flip.description)"), "",
      "searches     \(searches), each among \(sizes) images",
    ]
    for rate in rates {
      lines.append(
        "rank \(rate.rank)".padding(toLength: 13, withPad: " ", startingAt: 0)
          + String(format: "%.2f %%", 100 * rate.rate) + "  \(rate.found) found")
    }
    lines.append(
      String(
        format: "mate score   %.4f, deviation %.4f, %.4f to %.4f", mateScores.mean, mateScores.standardDeviation,
        mateScores.minimum, mateScores.maximum))
    if let openSet { lines += Self.lines(openSet) }
    if sharedNames > 0 {
      lines.append("\(sharedNames) of the people searched for have folders of their names among the distractors.")
    }
    if !badImages.isEmpty {
      lines.append("\nImages that could not be read and were left out:")
      lines += badImages.map { "  \($0.identifier): \($0.reason)" }
    }
    return lines.joined(separator: "\n")
  }

  private static func lines(_ openSet: OpenSet) -> [String] {
    let head =
      "strangers    \(openSet.searches) searches for \(openSet.people) people not in the gallery, "
      + String(
        format: "best score %.4f, %.4f to %.4f", openSet.bestScores.mean, openSet.bestScores.minimum,
        openSet.bestScores.maximum)
    return [head]
      + openSet.rates.map { rate in
        let name = "TPIR at FPIR \(rate.falsePositiveRate.shown)".padding(toLength: 19, withPad: " ", startingAt: 0)
        guard let share = rate.truePositiveRate, let threshold = rate.threshold else {
          return "\(name)-  \(rate.reason ?? "")"
        }
        return name + String(format: "%.2f %%  threshold %.4f", 100 * share, threshold)
      }
  }
}
