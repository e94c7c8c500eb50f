package import Distributed
import MPI
package import NeuralNetwork

/// Estimates a step on P ranks, from the times of its parts on one rank and a model of the links.
///
/// The step is played through, moment by moment as `StepMessages` orders them, on two clocks: the rank's and the link's.
/// Work moves the rank's clock. A bucket departs when its gradients are complete, and the link carries one after the other.
/// A bucket that has arrived costs the rank its additions and copies and, for the class weight's rows, their update. After
/// the backward pass the rank waits for those still under way. All ranks are assumed to be alike: images are ready, and
/// nobody comes late.
package struct StepModel {
  package let compute: ComputeMeasurement
  package let link: LinkModel
  package var classes: Int
  package var bucketBytes = 4 << 20
  package var gradientType = GradientType.float32
  /// Floats of the running statistics.
  package var statistics: Int
  /// nil where the optimizer computes no matrices.
  package var matrixWork: MatrixWork?

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
    let step = messages(kind, ranks: ranks)
    var clocks = Clocks(step, samples: compute.batchSize * ranks, link, copyBytesPerSecond: compute.copyBytesPerSecond)
    for moment in StepMessages.Moment.allCases {
      work(before: moment, &clocks)
      clocks.send(moment)
    }
    return clocks.estimate
  }

  /// What the ranks send one another in such a step.
  package func messages(_ kind: ClassifierKind, ranks: Int) -> StepMessages {
    var messages = StepMessages(
      kind, ranks: ranks, width: compute.embedding, classes: classes,
      gradients: compute.backward.reduce(0) { $0 + $1.gradients }, statistics: statistics,
      buckets: GradientBuckets(bytes: bucketBytes, type: gradientType))
    messages.sendsDirections = matrixWork != nil
    return messages
  }

  /// Of the rank that holds most.
  private func rows(_ kind: ClassifierKind, _ ranks: Int) -> Int {
    kind == .replicated ? classes : (classes + ranks - 1) / ranks
  }

  /// What a rank computes between the messages of the moment before and those of `moment`.
  private func work(before moment: StepMessages.Moment, _ clocks: inout Clocks) {
    let step = clocks.step
    let rows = Double(rows(step.classifier, step.ranks))
    let samples = Double(step.classifier == .sharded ? clocks.samples : compute.batchSize)
    switch moment {
    case .begin, .logits, .agreement: break
    case .statistics: clocks.work(compute.forwardSeconds, \.forward)
    case .softmax: clocks.work(compute.classifierForward.seconds(rows: rows, samples: samples), \.classifier)
    case .classifierBackward:
      guard step.classifier == .replicated && step.ranks > 1 else {
        return clocks.work(compute.classifierFused.seconds(rows: rows, samples: samples), \.classifier)
      }
      classWeightBackward(&clocks, samples)
    case .backward: backward(&clocks)
    case .update:
      clocks.finish()
      if step.ranks == 1 { clocks.work(compute.updateSeconds, \.update) }
      if let matrixWork, let seconds = compute.matrixSeconds {
        clocks.work(seconds * matrixWork.largestShare(ranks: step.ranks), \.update)
      }
    case .renormalize: clocks.work(compute.renormalizeSecondsPerRow * rows, \.classifier)
    }
  }

  private func classWeightBackward(_ clocks: inout Clocks, _ samples: Double) {
    let message = clocks.step.message(.classWeight)
    for piece in Chunks(of: classes, limit: clocks.step.rowsPerPiece) {
      let rows = Double(piece.count)
      clocks.work(compute.classifierBackward.seconds(rows: rows, samples: samples), \.classifier)
      clocks.depart(
        message, piece.count * compute.embedding,
        .init(seconds: compute.classifierUpdate.seconds(rows: rows, samples: 0), \.classifier))
    }
  }

  private func backward(_ clocks: inout Clocks) {
    let (step, message) = (clocks.step, clocks.step.message(.network))
    let updateSeconds = compute.updateSeconds / Double(max(message.count, 1))
    var (finished, started) = (0, 0)
    func depart(_ count: Int) {
      started += count
      clocks.depart(message, count, .init(seconds: updateSeconds * Double(count), \.update))
    }
    for chain in compute.backward {
      clocks.work(chain.seconds, \.backward)
      finished += chain.gradients
      while finished - started >= step.buckets.count { depart(step.buckets.count) }
    }
    if finished > started { depart(finished - started) }
  }

  /// The rank's clock and the link's, and what the rank did with its time.
  private struct Clocks {
    typealias Part = WritableKeyPath<Estimate, Double>

    struct Landing {
      let seconds: Double
      let part: Part
      init(seconds: Double, _ part: Part) { (self.seconds, self.part) = (seconds, part) }
    }

    let step: StepMessages
    let link: LinkModel
    /// Of all ranks.
    let samples: Int
    let copyBytesPerSecond: Double
    var ranks: Int { step.ranks }
    var estimate = Estimate()
    private var now = 0.0
    private var linkIsFree = 0.0
    private var flights: [(arrival: Double, processor: Double, landing: Landing)] = []

    init(_ step: StepMessages, samples: Int, _ link: LinkModel, copyBytesPerSecond: Double) {
      (self.step, self.samples, self.link, self.copyBytesPerSecond) = (step, samples, link, copyBytesPerSecond)
    }

    mutating func work(_ seconds: Double, _ part: Part) {
      now += seconds
      estimate[keyPath: part] += seconds
      land()
    }

    /// The messages of `moment`. Those that arise piece by piece were sent by `depart`.
    mutating func send(_ moment: StepMessages.Moment) {
      for message in step.messages(at: moment, samples: samples)
      where message.name != .classWeight && message.name != .network {
        if message.way == .sum {
          depart(message, message.count, .init(seconds: 0, \.update))
        } else {
          let seconds = link.seconds(of: message, ranks: ranks)
          now += seconds
          estimate.communication += seconds
          estimate.bytesSent += message.bytesSent(ranks: ranks)
        }
      }
    }

    /// Sends `count` complete elements of `message`, bucket by bucket.
    mutating func depart(_ message: StepMessages.Message, _ count: Int, _ landing: Landing) {
      guard ranks > 1 else { return }
      for piece in step.buckets.pieces(of: count) {
        let part = message.part(of: piece.count)
        let sum = link.sum(Double(part.bytes), ranks: ranks, copyBytesPerSecond: copyBytesPerSecond)
        linkIsFree = max(now, linkIsFree) + sum.wire
        let seconds = piece.upperBound == count ? landing.seconds : 0
        flights.append((linkIsFree + sum.latency, sum.processor, .init(seconds: seconds, landing.part)))
        estimate.bytesSent += part.bytesSent(ranks: ranks)
      }
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
