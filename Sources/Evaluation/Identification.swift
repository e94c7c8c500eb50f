import Datasets
import Distributed
import Files
import Foundation
import Inference
package import MPI
import Weights

/// The search for people in a gallery, with one model or its stored embeddings, on all ranks.
///
/// Without a gallery of its own as MegaFace prescribes (Kemelmacher-Shlizerman et al., CVPR 2016): of every person's M
/// images each is put among the distractors in turn, and each of the other M - 1 is searched for there: M (M - 1)
/// searches, in which the mate and the distractors are the gallery.
///
/// With a gallery each probe is one search, among all images of the gallery and the distractors; of its person's images
/// the nearest counts as the mate, the others do not compete. In an open set a probe's person may be missing there: the best
/// score of such a search says how easily a stranger is taken for somebody.
///
/// The gallery's and the distractors' embeddings are held once over all ranks, the probes' on every rank: each rank looks
/// for all probes among its own rows.
package final class Identification {
  private let options: IdentificationOptions
  private let communicator: Communicator
  private let model: EvaluatedModel
  private let probes: any ImageSource
  private let gallery: (any ImageSource)?
  private let distractors: (any ImageSource)?
  /// Made by `run`.
  private var results: IdentificationResults?

  /// Opens the model, or the embeddings, and the sets; every rank calls it.
  ///
  /// - Throws: what is wrong with a file, or a `RankAgreement.Failure` where the ranks see different models or images.
  package init(_ options: IdentificationOptions, _ communicator: Communicator) throws {
    self.options = options
    self.communicator = communicator
    model = try EvaluatedModel(
      options.model, assuming: options.assumedModel, embeddings: options.embeddings, flip: options.flip,
      batchSize: options.batchSize, workers: options.workers)
    var agreement = [model.agreement]
    probes = try ImageSet.open(options.probes)
    gallery = try options.gallery.map(ImageSet.open)
    distractors = try options.distractors.map(ImageSet.open)
    precondition(gallery != nil || distractors != nil, "A search needs a gallery or distractors")
    var absent: [(source: any ImageSource, images: [BadImage])] = []
    for source in [probes, gallery, distractors].compactMap({ $0 }) {
      // Where embeddings are stored no image is read.
      let inventory = model.opened == nil ? nil : try source.inventory()
      agreement.append(("images in \(source.location)", inventory?.fingerprint ?? source.fingerprintOfNames))
      absent.append((source, inventory?.absent ?? []))
    }
    try RankAgreement.check(agreement, communicator)
    for (source, images) in absent {
      try DividedImages.check(
        absent: images, limit: BadImage.limit(options.maximumBadImages, of: source.count), source)
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
    guard probes.namesPeople, let opened = model.opened else { return 0 }
    return Set(opened.description.classNames).intersection(probes.classNames).count
  }
  package var people: Int { probes.classNames.count }
  package var notes: [String] { [probes, gallery, distractors].compactMap { $0 }.flatMap(\.notes) }

  /// What the search takes, found by a short measurement; every rank calls it.
  ///
  /// - Throws: `MemoryNeed` where this host cannot hold its ranks' embeddings.
  package func cost() throws -> ComparisonCost {
    let others = [("gallery", gallery), ("distractors", distractors)].compactMap { name, source in
      source.map { ComparisonCost.Rows(name, $0.count, isOnEveryRank: false) }
    }
    let cost = try ComparisonCost(
      rows: [ComparisonCost.Rows("probes", probes.count, isOnEveryRank: true)] + others, width: model.supply.rowWidth,
      networkBytes: model.supply.networkBytes,
      products: probes.count * others.reduce(0) { $0 + $1.count }, communicator)
    try cost.check(communicator)
    return cost
  }

  /// Every rank calls it and gets the same, to the byte, on any number of ranks of as many threads.
  ///
  /// - Parameter note: is called with what turned out on the way, in sentences without a full stop.
  package func run(note: (String) -> Void = { _ in }) throws -> IdentificationReport {
    let numbers = Dictionary(zip(probes.classNames, Int32(0)...)) { first, _ in first }
    func embed(_ source: any ImageSource) throws -> EmbeddedPeople {
      let limit = BadImage.limit(options.maximumBadImages, of: source.count)
      return EmbeddedPeople(
        try model.supply.divide(source, badImageLimit: limit, communicator, note: note), of: source, numbers: numbers)
    }
    let searched = try embed(probes)
    let known = try gallery.map(embed)
    let others = try distractors.map(embed)
    let results = try IdentificationResults(
      probes: searched, gallery: known, distractors: others, strangers: areStrangers, communicator)
    guard results.searches.count > 0 else {
      throw EvaluationError(
        "\(options.probes.printableName): nobody has two images there, one to search for and one to find")
    }
    guard !options.isOpenSet || !results.strangers.isEmpty else {
      throw EvaluationError(
        "\(options.probes.printableName): no image of a person who is not in the gallery can be read")
    }
    self.results = results
    return report(searched, known, others, results)
  }

  /// Writes each search that `run` made, one a line under a header, as CSV: of a stranger's the best score, without a rank.
  /// One rank calls it.
  ///
  /// - Throws: `FileError`
  package func writeRanks(to path: String) throws {
    guard let results else { preconditionFailure("Ranks are written after the run") }
    func name(_ row: Int) -> String { CSV.field(probes.identifier(of: results.samples[row])) }
    let file = try AtomicFile(path: path)
    try Array("probe,mate,rank,cosine\n".utf8).withUnsafeBytes { try file.write($0) }
    for probe in results.samples.indices {
      let searches = results.searches
      var text = ""
      for place in searches.starts[probe]..<searches.starts[probe + 1] {
        let mate = searches.mates.isEmpty ? "" : name(Int(searches.mates[place]))
        text += "\(name(probe)),\(mate),\(results.ranks[place]),\(searches.scores[place])\n"
      }
      try Array(text.utf8).withUnsafeBytes { try file.write($0) }
    }
    for stranger in results.strangers {
      try Array("\(name(stranger.probe)),,,\(stranger.score)\n".utf8).withUnsafeBytes { try file.write($0) }
    }
    try file.commit()
  }

  /// Of each of the probes' people, whether the gallery does not know the name; nil unless it may be so.
  private var areStrangers: [Bool]? {
    guard options.isOpenSet, let gallery else { return nil }
    let absent = Set(probes.classNames).subtracting(gallery.classNames)
    return probes.classNames.map(absent.contains)
  }

  /// Names that stand among the probes and the distractors, where both have names.
  private var sharedNames: Int {
    guard let distractors, distractors.namesPeople, probes.namesPeople else { return 0 }
    let names = Set(probes.classNames)
    return distractors.classNames.count { names.contains($0) }
  }

  private func report(
    _ searched: EmbeddedPeople, _ known: EmbeddedPeople?, _ others: EmbeddedPeople?, _ results: IdentificationResults
  ) -> IdentificationReport {
    let searches = results.searches
    // The mate itself, and those who compete with it.
    let sizes = searched.people.indices.filter { searches.starts[$0] < searches.starts[$0 + 1] }.map { probe in
      1 + (known.map { $0.count - $0.images(of: searched.people[probe]) } ?? 0) + (others?.count ?? 0)
    }
    let openSet = areStrangers.map { IdentificationReport.OpenSet(results, people: $0.count(where: \.self)) }
    return IdentificationReport(
      model: options.model, embeddings: options.model == nil ? options.embeddings : nil,
      network: model.opened?.description.network, embeddingWidth: model.supply.width,
      inputSide: model.opened?.description.inputSide, trainedSteps: model.opened?.description.step,
      flip: model.supply.flip, probes: options.probes, gallery: options.gallery,
      distractors: options.distractors, people: people, probeImages: searched.count, galleryImages: known?.count,
      distractorImages: others?.count, searches: searches.count, smallestGallery: sizes.min()!,
      largestGallery: sizes.max()!,
      rates: IdentificationReport.rates(of: results.ranks, largestGallery: sizes.max()!),
      mateScores: Distribution(of: searches.scores), embeddingNorms: searched.table.norms,
      badImages: [searched, known, others].compactMap { $0?.table.badImages }.flatMap { $0 },
      sharedNames: sharedNames, openSet: openSet)
  }
}
