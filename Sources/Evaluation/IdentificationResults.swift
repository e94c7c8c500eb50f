import Datasets
import Files
import Inference
import MPI

/// A set's embeddings, divided among ranks, and whom they show: numbers of the probes' people, -1 for all others.
struct EmbeddedPeople {
  let table: DividedTable
  /// Of all rows, on every rank. (count)
  let people: [Int32]
  /// Of each of the probes' people.
  private let imageCounts: [Int32: Int]

  init(_ table: DividedTable, of source: any ImageSource, numbers: [Name: Int32]) {
    let known = source.classNames.map { numbers[$0] ?? -1 }
    self.table = table
    people = table.samples.map { known[source.label(of: $0)] }
    imageCounts = people.reduce(into: [:]) { if $1 >= 0 { $0[$1, default: 0] += 1 } }
  }

  var count: Int { table.samples.count }
  func images(of person: Int32) -> Int { imageCounts[person] ?? 0 }

  /// Those of this rank's rows.
  func ownPeople(_ communicator: Communicator) -> [Int32] { Array(people[table.rows(of: communicator.rank)]) }
}

/// What a search for people came to, search by search: the same on every rank.
struct IdentificationResults {
  /// Sample numbers of the probes, by rows.
  let samples: [Int]
  let searches: IdentificationSearches
  /// Of each search, from 1 on.
  let ranks: [Int]
  /// Of an open set: the probes whose person is not in the gallery, and their best scores.
  let strangers: [(probe: Int, score: Double)]

  /// Each rank looks for all probes among its own rows; counts and best scores are joined. Every rank calls it.
  ///
  /// - Parameter areStrangers: of each person, whether the gallery does not know the name; nil where it knows all.
  init(
    probes: EmbeddedPeople, gallery: EmbeddedPeople?, distractors: EmbeddedPeople?, strangers areStrangers: [Bool]?,
    _ communicator: Communicator
  ) throws {
    let table = try probes.table.joined(communicator)
    let ownPeople = gallery?.ownPeople(communicator) ?? []
    if let gallery {
      let nearest = try communicator.allReduce(
        IdentificationSearches.nearest(of: table, people: probes.people, in: gallery.table.own, people: ownPeople), .max
      )
      searches = .inAGallery(people: probes.people, nearest: nearest) { gallery.images(of: $0) > 0 }
    } else {
      searches = .amongThemselves(table, people: probes.people)
    }
    let strangerRows = areStrangers.map { areStrangers in probes.people.map { areStrangers[Int($0)] } }
    var ranking = IdentificationRanks(
      probes: table, people: probes.people, starts: searches.starts, scores: searches.scores, strangers: strangerRows)
    if let gallery { ranking.add(gallery.table.own, people: ownPeople) }
    if let distractors { ranking.add(distractors.table.own) }
    ranks = try communicator.allReduce(ranking.competitors).map { Int($0) + 1 }
    let best = strangerRows == nil ? [] : try communicator.allReduce(ranking.bestScores, .max)
    strangers = best.indices.filter { strangerRows![$0] }.map { ($0, best[$0]) }
    samples = probes.table.samples
  }
}
