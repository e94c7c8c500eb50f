package import Distributed

/// What a step will take on P ranks, from what its parts take on one and from the links' model.
///
/// The step is played through on two clocks, the rank's and the link's. Work moves the rank's clock. A bucket departs when
/// its gradients are complete, the link carries one after the other, and a bucket that has arrived costs the rank its
/// additions and copies and, for the class weight's rows, their update. After the backward pass the rank waits for those
/// still under way. Every rank is taken for the same: the images are ready, and nobody comes late.
package struct StepModel {
  package let compute: ComputeMeasurement
  package let link: LinkModel
  package var classes: Int
  package var bucketBytes = 4 << 20
  package var gradientType = GradientType.float32
  /// Floats of the running statistics.
  package var statistics: Int

  package init(_ compute: ComputeMeasurement, _ link: LinkModel, classes: Int, statistics: Int) {
    (self.compute, self.link, self.classes, self.statistics) = (compute, link, classes, statistics)
  }

  /// Seconds by part, in the order of the step.
  package struct Estimate: Codable, Equatable, Sendable {
    package var forward = 0.0
    /// Forward, backward and update of the class weight's rows, and their renormalization.
    package var classifier = 0.0
    package var backward = 0.0
    package var update = 0.0
    /// Additions and copies that buckets cost the processor.
    package var exchange = 0.0
    /// Waiting for messages: what nothing hides.
    package var communication = 0.0
    /// That a rank sends in a step.
    package var bytesSent = 0.0

    package var seconds: Double { forward + classifier + backward + update + exchange + communication }
  }

  package func estimate(_ kind: ClassifierKind, ranks: Int) -> Estimate {
    var clocks = Clocks(link: link, ranks: ranks, copyBytesPerSecond: compute.copyBytesPerSecond)
    let samples = Double(compute.batchSize)
    clocks.work(compute.forwardSeconds, \.forward)
    switch kind {
    case .replicated: replicated(&clocks, samples)
    case .sharded: sharded(&clocks, samples)
    }
    backward(&clocks)
    clocks.depart(Double(statistics * 4), .init(seconds: 0, \.update))
    clocks.finish()
    if ranks == 1 { clocks.work(compute.updateSeconds, \.update) }
    renormalize(&clocks, kind)
    // The loss and the ranks' wishes, four numbers.
    clocks.wait(link.smallReduction(32, ranks: ranks), bytes: 32)
    return clocks.estimate
  }

  private func replicated(_ clocks: inout Clocks, _ samples: Double) {
    let rows = Double(classes)
    clocks.work(compute.classifierForward.seconds(rows: rows, samples: samples), \.classifier)
    guard clocks.ranks > 1 else {
      return clocks.work(compute.classifierFused.seconds(rows: rows, samples: samples), \.classifier)
    }
    let piece = max(Double(bucketBytes / (4 * compute.embedding)), 1)
    var rest = rows
    while rest > 0 {
      let count = min(piece, rest)
      clocks.work(compute.classifierBackward.seconds(rows: count, samples: samples), \.classifier)
      clocks.depart(
        count * Double(compute.embedding * gradientType.bytes),
        .init(seconds: compute.classifierUpdate.seconds(rows: count, samples: 0), \.classifier))
      rest -= count
    }
  }

  private func sharded(_ clocks: inout Clocks, _ mine: Double) {
    let p = Double(clocks.ranks)
    let (rows, samples) = (Double((classes + clocks.ranks - 1) / clocks.ranks), mine * p)
    let embeddings = samples * Double(compute.embedding * 4)
    clocks.wait(link.allGather(8 * p, ranks: clocks.ranks), bytes: 8)
    clocks.wait(link.allGather(embeddings, ranks: clocks.ranks), bytes: embeddings * (p - 1) / p)
    clocks.wait(link.allGather(4 * samples, ranks: clocks.ranks), bytes: 4 * samples * (p - 1) / p)
    clocks.work(compute.classifierForward.seconds(rows: rows, samples: samples), \.classifier)
    clocks.wait(link.smallReduction(4 * samples, ranks: clocks.ranks), bytes: 4 * samples)
    clocks.wait(link.smallReduction(16 * samples, ranks: clocks.ranks), bytes: 16 * samples)
    clocks.work(compute.classifierFused.seconds(rows: rows, samples: samples), \.classifier)
    clocks.wait(link.reduceScatter(embeddings, ranks: clocks.ranks), bytes: embeddings * (p - 1) / p)
  }

  private func backward(_ clocks: inout Clocks) {
    let bucket = bucketBytes / 4
    let all = compute.backward.reduce(0) { $0 + $1.gradients }
    let updateSeconds = compute.updateSeconds / Double(max(all, 1))
    var (finished, started) = (0, 0)
    func depart(_ count: Int) {
      started += count
      clocks.depart(
        Double(count * gradientType.bytes), .init(seconds: updateSeconds * Double(count), \.update))
    }
    for chain in compute.backward {
      clocks.work(chain.seconds, \.backward)
      finished += chain.gradients
      while finished - started >= bucket { depart(bucket) }
    }
    if finished > started { depart(finished - started) }
  }

  private func renormalize(_ clocks: inout Clocks, _ kind: ClassifierKind) {
    let ranks = clocks.ranks
    let rows = kind == .replicated ? classes : (classes + ranks - 1) / ranks
    clocks.work(compute.renormalizeSecondsPerRow * Double(rows), \.classifier)
    guard ranks > 1 else { return }
    switch kind {
    case .replicated:
      // The scale, then a factor of each row, from rank 0.
      let factors = Double(4 * classes)
      clocks.wait(link.broadcast(8, ranks: ranks) + link.broadcast(factors, ranks: ranks), bytes: factors)
    case .sharded: clocks.wait(2 * link.smallReduction(8, ranks: ranks), bytes: 16)
    }
  }

  /// The rank's clock and the link's, and what the rank did with its time.
  private struct Clocks {
    typealias Part = WritableKeyPath<Estimate, Double>

    struct Landing {
      let seconds: Double
      let part: Part
      init(seconds: Double, _ part: Part) { (self.seconds, self.part) = (seconds, part) }
    }

    let link: LinkModel
    let ranks: Int
    let copyBytesPerSecond: Double
    var estimate = Estimate()
    private var now = 0.0
    private var linkIsFree = 0.0
    private var flights: [(arrival: Double, processor: Double, landing: Landing)] = []

    init(link: LinkModel, ranks: Int, copyBytesPerSecond: Double) {
      (self.link, self.ranks, self.copyBytesPerSecond) = (link, ranks, copyBytesPerSecond)
    }

    mutating func work(_ seconds: Double, _ part: Part) {
      now += seconds
      estimate[keyPath: part] += seconds
      land()
    }

    /// A blocking operation.
    mutating func wait(_ seconds: Double, bytes: Double) {
      guard ranks > 1 else { return }
      now += seconds
      estimate.communication += seconds
      estimate.bytesSent += bytes
    }

    mutating func depart(_ bytes: Double, _ landing: Landing) {
      guard ranks > 1 else { return }
      let sum = link.sum(bytes, ranks: ranks, copyBytesPerSecond: copyBytesPerSecond)
      linkIsFree = max(now, linkIsFree) + sum.wire
      flights.append((linkIsFree + sum.latency, sum.processor, landing))
      estimate.bytesSent += 2 * bytes * Double(ranks - 1) / Double(ranks)
    }

    mutating func finish() {
      while let flight = flights.first {
        estimate.communication += max(flight.arrival - now, 0)
        now = max(now, flight.arrival)
        land()
      }
    }

    private mutating func land() {
      while let flight = flights.first, flight.arrival <= now {
        flights.removeFirst()
        now += flight.processor + flight.landing.seconds
        estimate.exchange += flight.processor
        estimate[keyPath: flight.landing.part] += flight.landing.seconds
      }
    }
  }
}
