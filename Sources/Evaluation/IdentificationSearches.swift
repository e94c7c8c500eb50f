import Datasets
package import Inference
import NeuralNetwork

/// The searches for some probes: each with a probe, a mate, and the cosine of both.
package struct IdentificationSearches {
  /// Where each probe's searches begin, and the end. (probes + 1)
  package private(set) var starts: [Int] = [0]
  /// cosine(probe, mate)
  package private(set) var scores: [Double] = []
  /// The mate's row among the probes, where one image of them is the mate.
  package private(set) var mates: [Int32] = []

  package var count: Int { scores.count }

  /// Every ordered pair of images of a person.
  package static func amongThemselves(_ probes: EmbeddingTable, people: [Int32]) -> IdentificationSearches {
    var searches = IdentificationSearches()
    let rows = Dictionary(grouping: people.indices) { people[$0] }
    for probe in people.indices {
      for mate in rows[people[probe]]! where mate != probe { searches.mates.append(Int32(mate)) }
      searches.starts.append(searches.mates.count)
    }
    searches.scores = [Double](repeating: 0, count: searches.mates.count)
    let (starts, mates) = (searches.starts, searches.mates)
    searches.scores.withUnsafeMutableBufferPointer { scores in
      guard let scores = scores.baseAddress else { return }
      Parallel.ranges(people.count) { own in
        for probe in own {
          for place in starts[probe]..<starts[probe + 1] { scores[place] = probes.cosine(probe, Int(mates[place])) }
        }
      }
    }
    return searches
  }

  /// One for each probe of somebody of whom the gallery has images; `nearest` is the probe's greatest cosine with one.
  package static func inAGallery(
    people: [Int32], nearest: [Double], isThere: (_ person: Int32) -> Bool
  ) -> IdentificationSearches {
    var searches = IdentificationSearches()
    for (probe, person) in people.enumerated() {
      if isThere(person) { searches.scores.append(nearest[probe]) }
      searches.starts.append(searches.scores.count)
    }
    return searches
  }

  /// Of each probe the greatest cosine with a row of `gallery` that shows the same person; -1 where there is none.
  package static func nearest(
    of probes: EmbeddingTable, people: [Int32], in gallery: EmbeddingTable, people shown: [Int32]
  ) -> [Double] {
    let rows = Dictionary(grouping: shown.indices) { shown[$0] }
    var nearest = [Double](repeating: -1, count: probes.count)
    nearest.withUnsafeMutableBufferPointer { nearest in
      let nearest = nearest.baseAddress!
      Parallel.ranges(probes.count) { own in
        for probe in own {
          for row in rows[people[probe]] ?? [] {
            nearest[probe] = max(nearest[probe], probes.cosine(probe, of: gallery, row))
          }
        }
      }
    }
    return nearest
  }
}
