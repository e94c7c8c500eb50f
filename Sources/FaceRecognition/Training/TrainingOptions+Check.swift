import NeuralNetwork

extension TrainingOptions {
  /// Refuses what no command line gives: options that come from a checkpoint are somebody's file.
  ///
  /// - Throws: `ModelFileError` that names the option.
  func check(in run: String) throws {
    func refuse(_ name: String, _ value: Any) -> ModelFileError {
      ModelFileError(path: run, reason: "has a checkpoint of impossible configuration: \(name) is \(value)")
    }
    guard let kind = NetworkKind(rawValue: network) else { throw refuse("network", "'\(network)'") }
    for (name, value) in [("embedding", embedding), ("inputSize", inputSize)] {
      guard value > 0, value % 16 == 0, value <= 4096 else { throw refuse(name, value) }
    }
    let counts = [
      ("batchSize", batchSize), ("gradientAccumulation", gradientAccumulation), ("keep", keep), ("threads", threads),
      ("workers", workers), ("bucketMegabytes", bucketMegabytes), ("verifyReplicas", verifyReplicas ?? 1),
    ]
    for (name, value) in counts where !(1...1_000_000).contains(value) { throw refuse(name, value) }
    for (name, value) in [("holdoutPeople", holdoutPeople), ("stopAfter", stopAfter ?? 0)] where value < 0 {
      throw refuse(name, value)
    }
    let positive = [
      ("learningRate", learningRate), ("classWeightNorm", classWeightNorm ?? 1),
      ("logitMultiplier", logitMultiplier ?? 1), ("logitScale", logitScale ?? 1),
      ("gradientClipping", gradientClipping ?? 1),
    ]
    for (name, value) in positive where !(value > 0 && value.isFinite) { throw refuse(name, value) }
    for (name, value) in [("margin", margin), ("weightDecay", weightDecay), ("classWeightDecay", classWeightDecay)] {
      guard value >= 0, value.isFinite else { throw refuse(name, value) }
    }
    guard (0..<1).contains(momentum) else { throw refuse("momentum", momentum) }
    guard (0..<1).contains(dropout), dropout == 0 || kind.takesDropout else { throw refuse("dropout", dropout) }
    guard (0...1).contains(maxBadImages) else { throw refuse("maxBadImages", maxBadImages) }
    for (name, value) in [("length", length), ("warmup", warmup), ("validateEvery", validateEvery)]
      + milestones.map({ ("milestones", $0) }) where !value.isPossible
    { throw refuse(name, value) }
    if case .length(let value) = checkpointEvery, !value.isPossible { throw refuse("checkpointEvery", value) }
  }
}

extension TrainingLength {
  /// Whether the steps of it can be counted.
  fileprivate var isPossible: Bool {
    switch self {
    case .steps(let count): (0...1_000_000_000_000).contains(count)
    case .epochs(let count): (0...1_000_000).contains(count)
    }
  }
}
