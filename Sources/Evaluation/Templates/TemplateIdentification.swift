import Datasets
import Distributed
import Files
import Foundation
import Inference
package import MPI
import Weights

/// The search for people by templates in galleries of templates, with one model, on all ranks: the 1:N protocols of
/// IJB-B and IJB-C.
///
/// Every probe is searched for in every gallery. Where its person is in the gallery, the rank of that one's template is
/// asked for; where not, the search is a stranger's, which should find nobody.
package final class TemplateIdentification {
  private let options: EvaluationOptions
  private let communicator: Communicator
  private let model: EvaluatedModel
  private let list: TemplateList
  private let source: ImageList
  private let galleries: [TemplateSubjects]
  private let probes: TemplateSubjects
  /// Images of the templates that the galleries and the probes name, ascending.
  private let samples: [Int]
  /// Made by `run`.
  private var searches: [GallerySearches] = []

  /// Opens the model and the lists; every rank calls it.
  ///
  /// - Parameters:
  ///   - options: `templates` must be given; `pairs` is not read.
  ///   - galleries: lists of templates and their people, each person once in a gallery.
  /// - Throws: what is wrong with a file, or a `RankAgreement.Failure` where the ranks see different models or images.
  package init(
    _ options: EvaluationOptions, galleries: [String], probes: String, _ communicator: Communicator
  ) throws {
    guard let templates = options.templates else { preconditionFailure("A search of templates without templates") }
    self.options = options
    self.communicator = communicator
    model = try EvaluatedModel(
      options.model, assuming: options.assumedModel, embeddings: options.embeddings, flip: options.flip,
      batchSize: options.batchSize, workers: options.workers)
    let list = try TemplateList(path: templates, options)
    self.list = list
    self.galleries = try galleries.map { try TemplateSubjects(path: $0, of: list) }
    self.probes = try TemplateSubjects(path: probes, of: list)
    for gallery in self.galleries { try gallery.refuseRepetition(in: list) }
    source = ImageList(list.images, root: list.root, notes: list.notes)
    let named = Set((self.galleries + [self.probes]).flatMap(\.templates))
    samples = Set(named.lazy.flatMap { list.templates[$0].media.joined() }).sorted()
    // Images whose embeddings are there need not be.
    let inventory = model.opened == nil ? nil : try source.inventory()
    try RankAgreement.check(
      [
        model.agreement, ("images in \(options.data)", inventory?.fingerprint ?? source.fingerprintOfNames),
        ("templates", "\((self.galleries + [self.probes]).map(\.templates.count)), \(samples.count) images"),
        ("detector scores", TemplatePooling(weights: list.detectorScores).digest),
      ], communicator)
    try DividedImages.check(
      absent: inventory?.absent ?? [], samples: samples,
      limit: BadImage.limit(options.maximumBadImages, of: samples.count), source)
  }

  package var notes: [String] { source.notes }

  /// Every rank calls it and gets the same, to the byte, on any number of ranks.
  package func run() throws -> TemplateIdentificationReport {
    let limit = BadImage.limit(options.maximumBadImages, of: samples.count)
    let images = try model.supply.divide(source, samples: samples, badImageLimit: limit, communicator)
    let table = try TemplateTable(
      of: list.templates, images, TemplatePooling(options.pooling, weights: list.detectorScores), communicator)
    let tasks = GallerySearches.tasks(of: probes, in: galleries, table)
    // The most that a figure asks for: see JoinedGalleries.
    let kept = JoinedGalleries.kept(searches: tasks.first?.count ?? 0)
    searches = try zip(galleries, tasks).map { gallery, tasks in
      let places = gallery.templates.filter(table.has)
      var matches = GalleryMatches(
        tasks, in: places, table, keeping: kept, part: communicator.rank, of: communicator.size)
      try matches.join(keeping: kept, communicator)
      return try GallerySearches(gallery.path, templates: places.count, tasks, matches)
    }
    return TemplateIdentificationReport(
      options: options, model, images: samples.count, probes: probes.path, searches: searches,
      embeddingNorms: images.norms, badImages: images.badImages)
  }

  /// Writes each search that `run` made, one a line under a header, as CSV: the rank and the mate's score are empty
  /// where the gallery lacks the person. One rank calls it.
  ///
  /// - Throws: `FileError`
  package func writeSearches(to path: String) throws {
    var text = "gallery,probe,rank,score,nearestStranger\n"
    for search in searches {
      for (place, probe) in search.probes.enumerated() {
        let isMated = probe.mate != nil
        let fields = [
          CSV.field(search.path), CSV.field(list.templates[probe.template].id),
          isMated ? "\(search.matches.competitors[place] + 1)" : "", isMated ? "\(probe.mateScore!)" : "",
          search.matches.nearestStrangers[place] < -1 ? "" : "\(search.matches.nearestStrangers[place])",
        ]
        text += fields.joined(separator: ",") + "\n"
      }
    }
    try AtomicFile.write(Data(text.utf8), to: path)
  }
}

extension TemplateSubjects {
  /// A gallery has one template a person.
  fileprivate func refuseRepetition(in list: TemplateList) throws(DataError) {
    var known: [Name: Int] = [:]
    for (template, subject) in zip(templates, subjects) {
      guard let other = known.updateValue(template, forKey: subject) else { continue }
      throw DataError(
        path,
        "person \(subject.text) has two templates, \(list.templates[other].id) and \(list.templates[template].id)",
        remedy: "A gallery has one template of each person.")
    }
  }
}

extension GalleryMatches {
  /// Takes what the other ranks found.
  fileprivate mutating func join(keeping kept: Int, _ communicator: Communicator) throws {
    guard communicator.size > 1 else { return }
    let counts = try communicator.allGather(largest.count)
    var all = LargestValues(capacity: kept)
    for value in try communicator.allGather(largest, counts: counts) { all.add(value) }
    replace(
      competitors: try communicator.allReduce(competitors),
      // Of each search, one rank has the score and the others 0.
      nearestStrangers: try communicator.allReduce(nearestStrangers), largest: all.falling)
  }
}
