import Files
import Foundation

extension TemplateIdentificationReport: CustomStringConvertible {
  /// For people: a column for each gallery, their mean, and all of them as one.
  package var description: String {
    let norms = [embeddingNorms.mean, embeddingNorms.standardDeviation].map { String(format: "%.3f", $0) }
    let head = """
      \(origin(column: 12))
      data        \(data): \(images) images; templates of \(templates)
      embeddings  norm \(norms[0]), deviation \(norms[1])\(flip == .none ? "" : "; " + flip.description)
      templates   \(pooling.description(scores: detectorScores))
      probes      \(probes): \(probeTemplates) templates
      """
    var parts = [head, TextTable.lines(rows, right: 1..<(galleries.count + 3)).joined(separator: "\n")]
    if galleries.contains(where: { $0.openSet.contains { $0.reason != nil } }) {
      let reasons = galleries.flatMap { gallery in
        gallery.openSet.compactMap { rate in
          rate.reason.map { "FPIR \(rate.falsePositiveRate.shown) in \(gallery.path.printableName) \($0)" }
        }
      }
      parts.append(reasons.joined(separator: "\n"))
    }
    if !badImages.isEmpty {
      parts.append(
        "Images that could not be read, left out of their templates:\n"
          + badImages.map { "  \($0.identifier): \($0.reason)" }.joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n")
  }

  private var rows: [[String]] {
    func row(
      _ name: String, _ own: (Gallery) -> Double?, mean: Double?, joined: Double? = nil
    ) -> [String] {
      [name] + (galleries.map(own) + [mean, joined]).map { $0.map { String(format: "%.2f %%", 100 * $0) } ?? "-" }
    }
    func counts(_ name: String, _ own: (Gallery) -> Int, joined: Int? = nil) -> [String] {
      [name] + galleries.map { "\(own($0))" } + ["", joined.map { "\($0)" } ?? ""]
    }
    var rows = [[""] + galleries.map { FilePath.split($0.path).name.printableName } + ["mean", "joined"]]
    rows.append(counts("gallery", \.templates, joined: joined?.templates))
    rows.append(counts("searches, mated", \.matedSearches, joined: joined.map { _ in probeTemplates }))
    rows.append(counts("searches, strangers", \.strangerSearches))
    for place in galleries[0].rates.indices {
      rows.append(
        row(
          "rank \(galleries[0].rates[place].rank)", { $0.rates[place].rate }, mean: mean.rates[place],
          joined: joined?.rates[place].rate))
    }
    for place in galleries[0].openSet.indices {
      rows.append(
        row(
          "TPIR at FPIR \(galleries[0].openSet[place].falsePositiveRate.shown)",
          { $0.openSet[place].truePositiveRate }, mean: mean.openSet[place]))
    }
    for (place, share) in InsightFaceRate.shares.enumerated() {
      rows.append(
        row(
          "insightface's TPIR at FPIR \(share.shown)", { $0.insightFace?[place].truePositiveRate },
          mean: mean.insightFace?[place], joined: joined?.insightFace[place].truePositiveRate))
    }
    return rows
  }
}
