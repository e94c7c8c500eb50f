import Files
import Inference
import NeuralNetwork

/// Pairs of images that may be one picture: near duplicates have nearly the same embedding, whatever the network. Their
/// pixels decide.
struct PicturePairs {
  /// The two rows of each, the lower first; ascending.
  let pairs: [(Int, Int)]

  /// Least cosine of a pair that is looked at. Near duplicates have more than 0.95.
  private static let leastCosine = 0.8
  /// Pairs of an image, the nearest ones.
  private static let most = 3
  /// Images of a person that are compared without tiles.
  private static let fewImages = 256

  init(_ search: FaultSearch) {
    let set = search.set
    var found = Self.ofPeople(set)
    let rows = search.far.map(\.row)
    if !rows.isEmpty {
      let lists = NearestRows.find(Self.most, in: set.table, of: set.table(of: rows)) {
        set.labels[rows[$0]] == set.labels[$1]
      }
      for (row, list) in zip(rows, lists) { found += Self.near(list).map { (row, $0) } }
    }
    for (row, twin) in search.twins.enumerated() {
      guard let twin, search.twinScore(twin, of: row) >= search.bounds.personScore else { continue }
      let others = set.rows[search.templates.people[twin.template]]
      for own in set.rows[search.templates.people[row]] {
        found += Self.nearest(own, among: others, set).map { (own, $0) }
      }
    }
    let ordered = found.map { ($0.0 < $0.1 ? $0 : ($0.1, $0.0)) }.sorted { $0 < $1 }
    pairs = ordered.enumerated().filter { place, pair in place == 0 || ordered[place - 1] != pair }.map(\.element)
  }

  /// Within each person.
  private static func ofPeople(_ set: EmbeddedSet) -> [(Int, Int)] {
    var found = [[(Int, Int)]](repeating: [], count: set.people)
    found.withUnsafeMutableBufferPointer { found in
      let found = found.baseAddress!
      Parallel.ranges(set.people) { people in
        for person in people {
          let rows = set.rows[person]
          if rows.count <= fewImages {
            found[person] = rows.flatMap { row in nearest(row, among: rows, set).map { (row, $0) } }
          } else {
            let table = set.table(of: rows)
            let lists = NearestRows.find(most, in: table, of: table) { $0 == $1 }
            found[person] = zip(rows, lists).flatMap { row, list in near(list).map { (row, rows[$0]) } }
          }
          Heartbeat.beat()
        }
      }
    }
    return found.flatMap(\.self)
  }

  private static func nearest(_ row: Int, among rows: [Int], _ set: EmbeddedSet) -> [Int] {
    let list = rows.filter { $0 != row }.map { NearestRows.Neighbour(row: $0, cosine: set.table.cosine(row, $0)) }
    return near(list.sorted { ($1.cosine, $0.row) < ($0.cosine, $1.row) }.prefix(most))
  }

  private static func near(_ list: some Collection<NearestRows.Neighbour>) -> [Int] {
    list.filter { $0.cosine >= leastCosine }.map(\.row)
  }
}
