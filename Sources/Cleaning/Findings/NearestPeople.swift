import Inference

/// Who, of all others, images or people look like.
struct NearestPeople {
  struct Candidate: Equatable {
    /// A row of the templates.
    let template: Int
    let cosine: Double
    /// The cosine, less the mean of those of the next ten people: a person who is there stands out.
    let lead: Double
  }

  private static let next = 10

  /// For each probe the nearest template that is not excluded; nil where there is none.
  static func find(
    of probes: EmbeddingTable, in templates: PersonTemplates, excluding isExcluded: ((Int, Int) -> Bool)? = nil
  ) -> [Candidate?] {
    NearestRows.find(1 + next, in: templates.table, of: probes, excluding: isExcluded).map { list in
      guard let first = list.first else { return nil }
      let others = list.dropFirst()
      let mean = others.reduce(0) { $0 + $1.cosine } / Double(max(others.count, 1))
      return Candidate(
        template: first.row, cosine: first.cosine, lead: others.isEmpty ? 0 : first.cosine - mean)
    }
  }
}
