package import Files

/// What each number that people give may be: for the command line, configurations, code and checkpoints alike. Bounds of
/// training alone stand in `TrainingOptions`, with the default.
///
/// The greatest values are beyond any use, and small enough that no product of them leaves 64 bits: images of a step on a
/// million ranks, bytes of a class weight, steps of all epochs. What does not fit into memory is refused by `MemoryNeed`.
package enum Limits {
  // Network
  package static let embedding = NumberRange(multiplesOf: 16, upTo: 4096)
  package static let inputSize = NumberRange(multiplesOf: 16, upTo: 4096)
  package static let classes = NumberRange(2...1_000_000_000)

  // Optimization
  package static let batchSize = NumberRange(1...65_536)
  /// Batch normalization compares the images of a batch.
  package static let statisticsBatch = NumberRange(2...65_536)
  package static let steps = NumberRange(1...mostSteps)
  package static let epochs = NumberRange(above: 0, upTo: mostEpochs)
  package static let rateFactor = NumberRange(
    above: 0, upTo: RateFactor.most, remedy: "to leave the network as it is, give --freeze backbone")
  /// Of a replay, which may leave the weights as they are.
  package static let replayedRate = NumberRange(0...1e30)

  // Lengths: steps, epochs, minutes
  package static let mostSteps = 1_000_000_000_000
  package static let mostEpochs = 1e6
  package static let mostMinutes = 1e6

  // Data
  package static let people = NumberRange(0...1_000_000_000)
  package static let badImages = NumberRange(0.0...1)
  package static let pairs = NumberRange(2...1_000_000_000)
  package static let storedSide = NumberRange(1...4096)
  package static let quality = NumberRange(1...100)

  // A run
  package static let seed = NumberRange(0...UInt64.max)
  package static let threads = NumberRange(1...1024)
  package static let collectiveTimeout = NumberRange(0.0...10_000_000)

  // Figures and measurements
  package static let threshold = NumberRange(-1.0...1)
  package static let falseAcceptRate = NumberRange(1e-9...0.5)
  package static let shownPeople = NumberRange(1...1_000_000)
  package static let pictures = NumberRange(0...100)
  package static let partSize = NumberRange(1...10_000_000)
  package static let findings = NumberRange(1...10_000)
  package static let falseRate = NumberRange(above: 0.0, upTo: 0.5)
  package static let findingScore = NumberRange(-10.0...10)
  package static let correlation = NumberRange(0.0...1)
  package static let measuredSteps = NumberRange(1...1_000_000)
  package static let megabytes = NumberRange(1...65_536)
  package static let ranks = NumberRange(1...1_000_000)
  package static let latency = NumberRange(0.0...1e9)
  package static let gigabytes = NumberRange(above: 0, upTo: 1e6)

  // Alignment
  package static let crop = NumberRange(0.5...4)
  package static let leastFace = NumberRange(0.0...100_000)
  package static let residual = NumberRange(above: 0.0, upTo: 1000)
}
