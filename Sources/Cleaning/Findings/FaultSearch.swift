import Datasets
import Files
import Inference
import NeuralNetwork

/// What a set's embeddings say of every image and every person: where they belong, and who they look like.
///
/// One process works, on its threads: in N images of P people, P^2 / 2 and, for the images that are far from their
/// person, N P inner products of the embedding's width. Beside the embeddings it holds a template a person.
struct FaultSearch {
  let set: EmbeddedSet
  let validation: EmbeddedSet?
  let parts: PersonParts
  let templates: PersonTemplates
  let validationTemplates: PersonTemplates?
  let bounds: CleaningBounds
  /// Of each row, its cosine with the template of its own person without it; nil where there is no other image.
  let ownCosines: [Double?]
  /// Rows below `bounds.ownCosine`, and whom each of them is nearest to.
  let far: [(row: Int, nearest: NearestPeople.Candidate?)]
  /// Of each template, the person nearest to it here, and in the validation set.
  let twins: [NearestPeople.Candidate?]
  let validationTwins: [NearestPeople.Candidate?]
  /// Parts as large as the one that was taken for the person, and who is nearest to each in the validation set.
  let rivals: [(person: Int, rows: [Int])]
  let rivalTemplates: PersonTemplates?
  let rivalTwins: [NearestPeople.Candidate?]

  /// Images from which the law of the nearest stranger is taken.
  private static let sampledImages = 20_000

  /// - Throws: `EvaluationError` where a set is too small to choose bounds from, and none are given.
  init(_ set: EmbeddedSet, validation: EmbeddedSet?, _ options: CleaningOptions) throws {
    (self.set, self.validation) = (set, validation)
    let strangers = StrangerCosines.ofImages(set)
    guard !strangers.isEmpty else {
      throw EvaluationError("\(set.source.location.printableName): all images are of one person")
    }
    let partCosine = Quantile.of(strangers, CleaningBounds.partShare)
    let parts = PersonParts(set, bound: partCosine)
    let templates = PersonTemplates(set, parts)
    (self.parts, self.templates) = (parts, templates)
    let ownCosine = Quantile.of(StrangerCosines.ofImagesAndTemplates(set, templates), CleaningBounds.ownShare)
    let ownCosines = Self.ownCosines(set, templates)
    self.ownCosines = ownCosines

    func nearest(_ rows: [Int]) -> [NearestPeople.Candidate?] {
      guard !rows.isEmpty else { return [] }
      return NearestPeople.find(of: set.table(of: rows), in: templates) { probe, template in
        templates.people[template] == set.labels[rows[probe]]
      }
    }
    let step = (set.table.count + Self.sampledImages - 1) / Self.sampledImages
    let sample = nearest(Array(stride(from: 0, to: set.table.count, by: step)))
    let labelScore = try CleaningBounds.score(
      options.labelScore, of: sample.compactMap { $0.map { $0.cosine + $0.lead } }, rate: options.falseLabels,
      option: "--label-score", set.source.location)
    let rows = set.labels.indices.filter { ownCosines[$0].map { $0 < ownCosine } ?? true }
    far = Array(zip(rows, nearest(rows)))

    twins = NearestPeople.find(of: templates.table, in: templates) { $0 == $1 }
    let scores = twins.enumerated().compactMap { row, twin in
      twin.map { Self.score($0, of: row, templates, templates) }
    }
    let personScore = try CleaningBounds.score(
      options.personScore, of: scores, rate: options.falsePeople, option: "--person-score", set.source.location)
    var validationScore: Double?
    let rivals = parts.parts.enumerated().flatMap { person, parts in
      parts.dropFirst().filter { $0.count == parts[0].count }.map { (person: person, rows: $0) }
    }
    self.rivals = rivals
    if let validation {
      let others = PersonTemplates(validation, PersonParts(validation, bound: partCosine))
      validationTemplates = others
      validationTwins = NearestPeople.find(of: templates.table, in: others)
      let rivalTemplates = rivals.isEmpty ? nil : PersonTemplates(set, rivals)
      self.rivalTemplates = rivalTemplates
      rivalTwins = rivalTemplates.map { NearestPeople.find(of: $0.table, in: others) } ?? []
      let scores = validationTwins.enumerated().compactMap { row, twin in
        twin.map { Self.score($0, of: row, templates, others) }
      }
      validationScore = try CleaningBounds.score(
        options.personScore, of: scores, rate: options.falsePeople, option: "--person-score",
        validation.source.location)
    } else {
      (validationTemplates, validationTwins, rivalTemplates, rivalTwins) = (nil, [], nil, [])
    }
    bounds = CleaningBounds(
      partCosine: partCosine, ownCosine: ownCosine, pairCosine: Self.pairCosine(set), labelScore: labelScore,
      personScore: personScore, validationScore: validationScore, pictureCorrelation: options.pictureCorrelation)
  }

  /// That of `FindingKind.wrongLabel`.
  func labelScore(_ nearest: NearestPeople.Candidate, of row: Int) -> Double {
    nearest.cosine + nearest.lead - (ownCosines[row] ?? 0) / 2
  }

  /// That of `FindingKind.onePerson`.
  func twinScore(_ twin: NearestPeople.Candidate, of row: Int) -> Double {
    Self.score(twin, of: row, templates, templates)
  }

  /// That of `FindingKind.validation`.
  func validationScore(_ twin: NearestPeople.Candidate, of row: Int) -> Double {
    Self.score(twin, of: row, templates, validationTemplates!)
  }

  /// The same of a rival.
  func rivalScore(_ twin: NearestPeople.Candidate, of row: Int) -> Double {
    Self.score(twin, of: row, rivalTemplates!, validationTemplates!)
  }

  private static func score(
    _ twin: NearestPeople.Candidate, of row: Int, _ templates: PersonTemplates, _ others: PersonTemplates
  ) -> Double {
    twin.cosine + twin.lead + templates.meanCosine(row, of: others, twin.template, cosine: twin.cosine)
  }

  private static func ownCosines(_ set: EmbeddedSet, _ templates: PersonTemplates) -> [Double?] {
    var cosines = [Double?](repeating: nil, count: set.table.count)
    cosines.withUnsafeMutableBufferPointer { cosines in
      let cosines = cosines.baseAddress!
      Parallel.ranges(set.table.count) { rows in
        for row in rows { cosines[row] = templates.ownCosine(of: row, in: set) }
      }
    }
    return cosines
  }

  /// Of neighbouring images of a folder; 1 where no person has two.
  private static func pairCosine(_ set: EmbeddedSet) -> Double {
    let cosines = set.rows.flatMap { rows in zip(rows, rows.dropFirst()).map { set.table.cosine($0, $1) } }.sorted()
    return cosines.isEmpty ? 1 : Quantile.of(cosines, CleaningBounds.pairShare)
  }
}
