import Distributed
import MPI
import NeuralNetwork
import Training
import VectorKernels

/// Training steps of small networks over made images: what suites of the ranks compare.
struct StepFixture {
  var classes = 11
  let width = 32
  /// oneDNN has no fast weight gradient for the last layers of smaller images.
  let side = 48

  /// The program's, with several buckets even of a small network.
  static var settings: StepSettings {
    var settings = StepSettings()
    settings.bucketBytes = 1 << 14
    return settings
  }

  /// A step with weights from a fixed seed, the same on all ranks.
  func makeStep(
    _ settings: StepSettings, _ kind: NetworkKind = .spherenet20, frozen: [String] = [], capacity: Int,
    accumulates: Bool = false, teacherWidth: Int? = nil, on communicator: Communicator
  ) throws -> TrainingStep {
    let network = kind.makeNetwork(embeddingWidth: width, inputSide: side, frozen: Set(frozen))
    let step = try TrainingStep(
      network, classCount: classes, capacity: capacity, accumulates: accumulates, teacherWidth: teacherWidth,
      settings: settings, communicator: communicator)
    step.initialize(seed: 5)
    // A rounding that carries an activation over PReLU's kink changes a gradient by far more than itself, and which
    // roundings there are depends on the processor. Slopes near 1 make such steps small.
    for parameter in network.parameters.parameters where parameter.name.hasPrefix("relu") {
      parameter.value.update(repeating: 0.9)
    }
    try step.synchronize(classWeightNorm: 1)
    return step
  }

  /// Runs this rank's `parts` of a global batch of `count` samples, which every rank makes for itself by `index`.
  ///
  /// - Returns: the loss of all ranks
  func train(
    _ step: TrainingStep, _ parts: [Range<Int>], of count: Int, index: Int, rate: Double = 0.001
  ) throws -> Double {
    let size = 3 * side * side
    let images = random(count * size, "images", 2, seed: index)
    let labels = (0..<Int32(count)).map { ($0 * 7 + Int32(index)) % Int32(classes) }
    let teacher = teacherRows(count, step.teacherWidth ?? 0, seed: index)
    return try images.withUnsafeBufferPointer { images in
      try labels.withUnsafeBufferPointer { labels in
        try teacher.withUnsafeBufferPointer { teacher in
          let batches = parts.map { part in
            MicroBatch(
              images: .init(rebasing: images[(part.lowerBound * size)..<(part.upperBound * size)]),
              labels: .init(rebasing: labels[part]),
              teacher: step.teacherWidth.flatMap { width in teacher.baseAddress.map { $0 + part.lowerBound * width } })
          }
          return try step.communicator.allReduce(
            step.run(batches, index: index, count: count, learningRate: rate))
        }
      }
    }
  }

  private func random(_ count: Int, _ name: String, _ deviation: Float, seed: Int) -> [Float] {
    var values = [Float](repeating: 0, count: count)
    values.withUnsafeMutableBufferPointer {
      Initializer.normal(standardDeviation: deviation).fill($0, seed: UInt64(seed), name: name)
    }
    return values
  }

  /// Embeddings of length 1, (count, width).
  private func teacherRows(_ count: Int, _ width: Int, seed: Int) -> [Float] {
    guard width > 0 else { return [] }
    var rows = random(count * width, "teacher", 1, seed: seed)
    for start in stride(from: 0, to: rows.count, by: width) {
      let length = rows[start..<(start + width)].reduce(0) { $0 + $1 * $1 }.squareRoot()
      for k in start..<(start + width) { rows[k] /= length }
    }
    return rows
  }

  /// |a - b| / |b|, over all elements together.
  static func distance(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Double {
    precondition(a.count == b.count, "\(a.count) values compared with \(b.count)")
    var (difference, size) = (0.0, 0.0)
    for (x, y) in zip(a, b) {
      difference += Double(x - y) * Double(x - y)
      size += Double(y) * Double(y)
    }
    return size > 0 ? (difference / size).squareRoot() : difference.squareRoot()
  }
}

/// What all ranks train together, beside what rank 0 trains alone on the same global batches.
///
/// Replicas are alike to the bit, which `finish` checks, so that rank 0 speaks for all; others have no `single`.
struct StepPair {
  let together: TrainingStep
  let single: TrainingStep?
  private let fixture: StepFixture
  private let alone: Communicator
  private let world: Communicator

  /// - Parameters:
  ///   - make: a step on the communicator that it is given, for as many samples; `makeSingle` that of rank 0 alone.
  ///   - mine: the most samples of a rank; rank 0 alone takes `count`.
  init(
    _ fixture: StepFixture, on world: Communicator, mine: Int, count: Int,
    make: (_ communicator: Communicator, _ capacity: Int) throws -> TrainingStep,
    makeSingle: ((_ communicator: Communicator, _ capacity: Int) throws -> TrainingStep)? = nil
  ) throws {
    (self.fixture, self.world) = (fixture, world)
    alone = try world.split(color: world.rank)
    together = try make(world, mine)
    single = world.rank == 0 ? try makeSingle?(alone, count) ?? make(alone, count) : nil
  }

  /// One step of both; `single` is nil on other ranks than 0.
  func train(_ mine: Range<Int>, of count: Int, index: Int, rate: Double = 0.001) throws -> (
    together: Double, single: Double?
  ) {
    let loss = try fixture.train(together, mine.isEmpty ? [] : [mine], of: count, index: index, rate: rate)
    return (loss, try single.map { try fixture.train($0, [0..<count], of: count, index: index, rate: rate) })
  }

  func finish(step: Int) throws {
    together.classWeight.materialize()
    single?.classWeight.materialize()
    try ReplicaCheck(together.replicas).run(world, step: step)
    try alone.free()
  }
}
