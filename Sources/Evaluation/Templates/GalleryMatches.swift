import Datasets
import NeuralNetwork
import Synchronization
import VectorKernels

/// Searches of probe templates in one gallery: what comes before the right person?
///
///     competitors(p) = number of strangers g in the gallery with score(p, g) >= score(p, mate)
///     rank(p) = competitors(p) + 1
///
/// Equal scores count against the mate.
package struct GalleryMatches: Equatable, Sendable {
  /// Of each probe, the strangers in the gallery who come before the mate or beside it; of one without a mate all.
  package private(set) var competitors: [Int]
  /// Of each probe, the greatest score of a stranger in the gallery; below -1 where there is none.
  package private(set) var nearestStrangers: [Double]
  /// The greatest scores of a probe with a stranger, falling: as many as were asked for, or all.
  package private(set) var largest: [Double]

  /// One probe's person and the score that the right person has, wherever that one stands; nil where nowhere.
  package struct Probe: Equatable, Sendable {
    /// A place in the list's templates.
    package let template: Int
    /// The place of its person's template in this gallery, which is no stranger.
    package let mate: Int?
    package let mateScore: Double?

    package init(template: Int, mate: Int?, mateScore: Double?) {
      (self.template, self.mate, self.mateScore) = (template, mate, mateScore)
    }
  }

  /// Fixed, so that nothing depends on ranks or threads.
  private static let probeBlock = 16
  private static let galleryBlock = 64

  /// Searches the `part`-th share of the probes; the others' counts and scores are 0.
  ///
  /// - Parameters:
  ///   - gallery: places of the gallery's templates.
  ///   - kept: the greatest scores with strangers that are wanted.
  package init(
    _ probes: [Probe], in gallery: [Int], _ table: TemplateTable, keeping kept: Int, part: Int, of parts: Int
  ) {
    var counts = [Int](repeating: 0, count: probes.count)
    var nearest = [Double](repeating: 0, count: probes.count)
    let all = Mutex(LargestValues(capacity: kept))
    let share = Share.range(of: (probes.count + Self.probeBlock - 1) / Self.probeBlock, part, parts)
    counts.withUnsafeMutableBufferPointer { counts in
      nearest.withUnsafeMutableBufferPointer { nearest in
        nonisolated(unsafe) let (counts, nearest) = (counts, nearest)
        Parallel.ranges(share.count) { range in
          var own = LargestValues(capacity: kept)
          for block in range {
            let first = (share.lowerBound + block) * Self.probeBlock
            let rows = first..<min(first + Self.probeBlock, probes.count)
            Self.search(probes[rows], gallery, table, counts.baseAddress!, nearest.baseAddress!, &own)
          }
          all.withLock { $0.add(own) }
        }
      }
    }
    (competitors, nearestStrangers) = (counts, nearest)
    largest = all.withLock { $0.falling }
  }

  private static func search(
    _ probes: ArraySlice<Probe>, _ gallery: [Int], _ table: TemplateTable, _ counts: UnsafeMutablePointer<Int>,
    _ nearest: UnsafeMutablePointer<Double>, _ largest: inout LargestValues
  ) {
    let templates = probes.map(\.template)
    var scores = [Double](repeating: 0, count: probes.count * galleryBlock)
    for place in probes.indices { nearest[place] = -2 }
    for start in stride(from: 0, to: gallery.count, by: galleryBlock) {
      let others = gallery[start..<min(start + galleryBlock, gallery.count)]
      scores.withUnsafeMutableBufferPointer { table.scores(templates[...], others, into: $0.baseAddress!) }
      for (line, place) in probes.indices.enumerated() {
        let probe = probes[place]
        for (column, other) in others.enumerated() where other != probe.mate {
          let score = scores[line * others.count + column]
          largest.add(score)
          nearest[place] = max(nearest[place], score)
          if probe.mateScore.map({ score >= $0 }) ?? true { counts[place] += 1 }
        }
      }
    }
  }

  /// Takes what other ranks found: their shares' counts and scores, and the greatest of all.
  package mutating func replace(competitors: [Int], nearestStrangers: [Double], largest: [Double]) {
    (self.competitors, self.nearestStrangers) = (competitors, nearestStrangers)
    self.largest = largest
  }
}

/// The greatest of many numbers.
package struct LargestValues: Sendable {
  private let capacity: Int
  private var values: [Double] = []
  /// What is not above it cannot be among them.
  private var least = -Double.infinity

  package init(capacity: Int) { self.capacity = capacity }

  package mutating func add(_ value: Double) {
    guard value > least else { return }
    values.append(value)
    if values.count > 2 * capacity + 100 { shrink() }
  }

  package mutating func add(_ other: LargestValues) {
    for value in other.values { add(value) }
  }

  /// At most `capacity`.
  package var falling: [Double] { Array(values.sorted(by: >).prefix(capacity)) }

  private mutating func shrink() {
    values = falling
    if values.count == capacity { least = values.last ?? .infinity }
  }
}
