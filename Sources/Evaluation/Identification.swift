import Datasets
import Distributed
import Files
import Foundation
import Inference
package import MPI
import Weights

/// The search for people in a gallery, with one model, on all ranks.
///
/// Without a gallery of its own as MegaFace prescribes (Kemelmacher-Shlizerman et al., CVPR 2016): of every person's M
/// images each is put among the distractors in turn, and each of the other M - 1 is searched for there: M (M - 1)
/// searches, in which the mate and the distractors are the gallery.
///
/// With a gallery each probe is one search, among all images of the gallery and the distractors; of its person's images
/// the nearest counts as the mate, the others do not compete. In an open set a probe's person may be missing there: the best
/// score of such a search says how easily a stranger is taken for somebody.
package final class Identification {
  private let options: IdentificationOptions
  private let communicator: Communicator
  private let description: ModelDescription
  private let embedder: Embedder
  private let probes: any ImageSource
  private let gallery: (any ImageSource)?
  private let distractors: (any ImageSource)?
  /// Made by `run`: each search's probe, its mate where it is one image, and its rank.
  private var results: [(probe: Int, mate: Int?, rank: Int, score: Double)] = []
  /// Made by `run` of an open set: the probes whose person is not in the gallery, and their best scores.
  private var strangers: [(probe: Int, score: Double)] = []

  /// Opens the model and the sets; every rank calls it.
  ///
  /// - Throws: what is wrong with a file, or a `RankAgreement.Failure` where the ranks see different models or images.
  package init(_ options: IdentificationOptions, _ communicator: Communicator) throws {
    self.options = options
    self.communicator = communicator
    let (_, description, network) = try ModelFile.open(options.model, assuming: options.assumedModel)
    self.description = description
    embedder = Embedder(network, batchSize: options.batchSize, workers: options.workers)
    probes = try ImageSet.open(options.probes)
    gallery = try options.gallery.map(ImageSet.open)
    distractors = try options.distractors.map(ImageSet.open)
    precondition(gallery != nil || distractors != nil, "A search needs a gallery or distractors")
    let sources = [probes, gallery, distractors].compactMap { $0 }
    let inventories = try sources.map { try $0.inventory() }
    try RankAgreement.check(
      [("weights of \(options.model)", network.weightsDigest)]
        + zip(sources, inventories).map { ("images in \($0.location)", $1.fingerprint) }, communicator)
    for (source, inventory) in zip(sources, inventories) {
      try DividedImages.check(
        absent: inventory.absent, limit: BadImage.limit(options.maximumBadImages, of: source.count), source)
    }
    if let gallery {
      if let nameless = [probes, gallery].first(where: { !$0.namesPeople }) {
        throw DataError(
          nameless.location,
          "its people have numbers and no names, so that nobody knows who of the gallery is who of the probes",
          remedy: "Give sets with people's names: folders PERSON/IMAGE, lists 'path person', or .recs that "
            + "'cosface dataset pack' made of them, with their catalogs.")
      }
      try Self.checkPeople(probes, gallery, isOpenSet: options.isOpenSet)
    }
  }

  /// Refuses probes that are not in the gallery, and in an open set those who all are, or none.
  private static func checkPeople(
    _ probes: any ImageSource, _ gallery: any ImageSource, isOpenSet: Bool
  ) throws(EvaluationError) {
    let missing = Set(probes.classNames).subtracting(gallery.classNames).sorted()
    let (path, other) = (probes.location.printableName, gallery.location.printableName)
    if isOpenSet {
      guard missing.isEmpty || missing.count == probes.classNames.count else { return }
      throw EvaluationError(
        "\(path): \(missing.isEmpty ? "all" : "none") of its people are in the gallery \(other): "
          + "an open set needs some who are there, and some who are not")
    }
    guard !missing.isEmpty else { return }
    throw EvaluationError(
      "\(path): \(missing.count) of its people are not in the gallery \(other): "
        + missing.prefix(5).map(\.text.printableName).joined(separator: ", ") + (missing.count > 5 ? " ..." : "")
        + ". With --open-set they are strangers, who should find nobody")
  }

  /// People among the probes whose names stand in the model: their figures tell little of strangers.
  package var trainedPeople: Int {
    probes.namesPeople ? Set(description.classNames).intersection(probes.classNames).count : 0
  }
  package var people: Int { probes.classNames.count }
  package var notes: [String] { [probes, gallery, distractors].compactMap { $0 }.flatMap(\.notes) }

  /// Every rank calls it and gets the same, to the byte, on any number of ranks of as many threads.
  package func run() throws -> IdentificationReport {
    let searched = try embed(probes)
    let known = try gallery.map(embed)
    let others = try distractors.map(embed)
    let tasks = try known.map { try Self.searches(searched, in: $0) } ?? Self.searches(searched)
    guard !tasks.isEmpty else {
      throw EvaluationError(
        "\(options.probes.printableName): nobody has two images there, one to search for and one to find")
    }
    let ranking = IdentificationRanks(
      probes: searched.table, searches: tasks.map { .init(probe: $0.probe, person: $0.person, score: $0.score) })
    var counts = [Int](repeating: 0, count: tasks.count)
    for (set, people) in [(known, known?.people), (others, nil)] {
      guard let set else { continue }
      let part = ranking.competitors(in: set.table, people: people, part: communicator.rank, of: communicator.size)
      counts = zip(counts, part).map(+)
    }
    counts = try communicator.allReduce(counts)
    results = zip(tasks, counts).map { task, count in
      (searched.samples[task.probe], task.mate.map { searched.samples[$0] }, count + 1, task.score)
    }
    let openSet = try known.flatMap {
      options.isOpenSet ? try searchStrangers(searched, [$0, others].compactMap { $0 }) : nil
    }
    return report(searched, known, others, tasks, openSet)
  }

  /// Writes each search that `run` made, one a line under a header, as CSV: of a stranger's the best score, without a rank.
  /// One rank calls it.
  ///
  /// - Throws: `FileError`
  package func writeRanks(to path: String) throws {
    var text = "probe,mate,rank,cosine\n"
    for result in results {
      let names = [result.probe, result.mate].map { $0.map { CSV.field(probes.identifier(of: $0)) } ?? "" }
      text += "\(names[0]),\(names[1]),\(result.rank),\(result.score)\n"
    }
    for stranger in strangers { text += "\(CSV.field(probes.identifier(of: stranger.probe))),,,\(stranger.score)\n" }
    try AtomicFile.write(Data(text.utf8), to: path)
  }

  /// A set's embeddings. Row i shows `people[i]`, a number of the probes' people, or -1.
  private struct Embedded {
    let table: EmbeddingTable
    let samples: [Int]
    let people: [Int]
    let badImages: [BadImage]
  }

  /// `mate` is a row of the probes, where one image of them is the mate.
  private typealias Task = (probe: Int, mate: Int?, person: Int, score: Double)

  private func embed(_ source: any ImageSource) throws -> Embedded {
    let limit = BadImage.limit(options.maximumBadImages, of: source.count)
    let embeddings = try embedder.embed(source, flip: options.flip, badImageLimit: limit, communicator)
    let numbers = Dictionary(zip(probes.classNames, 0...)) { first, _ in first }
    let people = source.classNames.map { numbers[$0] ?? -1 }
    return Embedded(
      table: try embeddings.table(of: source), samples: embeddings.samples,
      people: embeddings.samples.map { people[source.label(of: $0)] }, badImages: embeddings.badImages)
  }

  /// Every ordered pair of images of a person.
  private static func searches(_ probes: Embedded) -> [Task] {
    let rows = Dictionary(grouping: probes.people.indices) { probes.people[$0] }
    return probes.people.indices.flatMap { probe in
      let person = probes.people[probe]
      return rows[person]!.filter { $0 != probe }.map { (probe, $0, person, probes.table.cosine(probe, $0)) }
    }
  }

  /// Every probe, with the nearest of its person's images in the gallery.
  private static func searches(_ probes: Embedded, in gallery: Embedded) throws(EvaluationError) -> [Task] {
    let rows = Dictionary(grouping: gallery.people.indices) { gallery.people[$0] }
    var tasks: [Task] = []
    for (probe, person) in probes.people.enumerated() {
      // Images that cannot be read may leave a person without one.
      guard let mates = rows[person] else { continue }
      tasks.append((probe, nil, person, mates.map { probes.table.cosine(probe, of: gallery.table, $0) }.max()!))
    }
    return tasks
  }

  /// The best scores of the probes whose people are not in the gallery, among the rows of `sets`.
  private func searchStrangers(_ probes: Embedded, _ sets: [Embedded]) throws -> IdentificationReport.OpenSet {
    let names = self.probes.classNames
    let absent = Set(names).subtracting(gallery?.classNames ?? [])
    let rows = probes.people.indices.filter { absent.contains(names[probes.people[$0]]) }
    guard !rows.isEmpty else {
      throw EvaluationError(
        "\(options.probes.printableName): no image of a person who is not in the gallery can be read")
    }
    let ranking = IdentificationRanks(
      probes: probes.table, searches: rows.map { .init(probe: $0, person: probes.people[$0], score: -1) })
    var best = [Double](repeating: -1, count: rows.count)
    for set in sets {
      let part = ranking.bestScores(in: set.table, part: communicator.rank, of: communicator.size)
      best = zip(best, part).map(max)
    }
    best = try communicator.allReduce(best, .max)
    strangers = zip(rows, best).map { (probes.samples[$0], $1) }
    let mated = results.map { OpenSetRate.Mated(score: $0.score, isFirst: $0.rank == 1) }
    return IdentificationReport.OpenSet(
      people: absent.count, searches: rows.count, rates: OpenSetRate.usual(strangers: best, mated: mated),
      bestScores: Distribution(of: best))
  }

  /// Names that stand among the probes and the distractors, where both have names.
  private var sharedNames: Int {
    guard let distractors, distractors.namesPeople, probes.namesPeople else { return 0 }
    return Set(distractors.classNames).intersection(probes.classNames).count
  }

  private func report(
    _ searched: Embedded, _ known: Embedded?, _ others: Embedded?, _ tasks: [Task],
    _ openSet: IdentificationReport.OpenSet?
  ) -> IdentificationReport {
    let ownImages = known.map { Dictionary(grouping: $0.people) { $0 }.mapValues(\.count) }
    // The mate itself, and those who compete with it.
    let sizes = tasks.map { task in
      1 + (known.map { $0.table.count - (ownImages?[task.person] ?? 0) } ?? 0) + (others?.table.count ?? 0)
    }
    return IdentificationReport(
      model: options.model, network: description.network, embeddingWidth: description.embeddingWidth,
      inputSide: description.inputSide, trainedSteps: description.step, flip: options.flip, probes: options.probes,
      gallery: options.gallery, distractors: options.distractors, people: people, probeImages: searched.table.count,
      galleryImages: known?.table.count, distractorImages: others?.table.count, searches: tasks.count,
      smallestGallery: sizes.min()!, largestGallery: sizes.max()!,
      rates: IdentificationReport.rates(of: results.map(\.rank), largestGallery: sizes.max()!),
      mateScores: Distribution(of: tasks.map(\.score)), embeddingNorms: searched.table.norms,
      badImages: [searched, known, others].compactMap { $0?.badImages }.flatMap { $0 },
      sharedNames: sharedNames, openSet: openSet)
  }
}
