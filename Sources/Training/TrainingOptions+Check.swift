import Files
import NeuralNetwork
import Weights

extension TrainingOptions {
  /// A setting that is not what it may be, whoever gave it.
  package struct Impossible: Equatable {
    /// As the property is called.
    package let name: String
    package let value: String
    /// "a whole number from 1 to 1024 is needed"
    package let need: String
  }

  /// The first impossible setting: what flags and configurations refuse at once, code and checkpoints may bring.
  package var impossible: Impossible? {
    let settings =
      outside(
        ("embedding", embedding, Limits.embedding), ("inputSize", inputSize, Limits.inputSize),
        ("batchSize", batchSize, Limits.batchSize), ("holdoutPeople", holdoutPeople, Limits.people),
        ("gradientAccumulation", gradientAccumulation, Limits.gradientAccumulation),
        ("keep", keep, Limits.keptCheckpoints), ("threads", threads, Limits.threads),
        ("workers", workers, Limits.threads), ("bucketMegabytes", bucketMegabytes, Limits.bucketMegabytes),
        ("verifyReplicas", verifyReplicas, Limits.interval), ("stopAfter", stopAfter, Limits.intervalOrNone),
        ("histogramEvery", histogramEvery, Limits.intervalOrNone),
        ("minImagesPerPerson", minImagesPerPerson, Limits.imagesOfPerson),
        ("maxPerPerson", maxPerPerson, Limits.imagesOfPerson))
      + outside(
        ("learningRate", learningRate, Limits.learningRate), ("momentum", momentum, Limits.momentum),
        ("classWeightNorm", classWeightNorm, Limits.rowNorm), ("logitScale", logitScale, Limits.logitScale),
        ("logitMultiplier", logitMultiplier, Limits.logitScale), ("margin", margin, Limits.margin),
        ("marginMultiplier", marginMultiplier, Limits.marginMultiplier), ("marginAngle", marginAngle, Limits.margin),
        ("gradientClipping", gradientClipping, Limits.gradientClipping), ("dropout", dropout, Limits.dropout),
        ("weightDecay", weightDecay, Limits.weightDecay), ("classWeightDecay", classWeightDecay, Limits.weightDecay),
        ("sampleRate", sampleRate, Limits.sampleRate), ("maxBadImages", maxBadImages, Limits.badImages))
    return settings.first ?? impossibleLength
  }

  private func outside<Number>(_ settings: (String, Number?, NumberRange<Number>)...) -> [Impossible] {
    settings.compactMap { name, value, range in
      guard let value, !range.contains(value) else { return nil }
      return Impossible(name: name, value: "\(value)", need: range.need)
    }
  }

  private var impossibleLength: Impossible? {
    let lengths = [("length", length), ("warmup", warmup), ("validateEvery", validateEvery)]
    for (name, value) in lengths + milestones.map({ ("milestones", $0) }) where !value.isPossible {
      return Impossible(name: name, value: "\(value)", need: TrainingLength.meaning + " is needed")
    }
    guard !checkpointEvery.isPossible else { return nil }
    return Impossible(
      name: "checkpointEvery", value: "\(checkpointEvery)", need: CheckpointInterval.meaning + " is needed")
  }

  /// Refuses what no command line gives: options that come from a checkpoint are somebody's file.
  ///
  /// - Throws: `ModelFileError` that names the option.
  func check(in run: String) throws {
    func refuse(_ name: String, _ value: String, _ need: String = "") -> ModelFileError {
      ModelFileError(path: run, reason: "has a checkpoint of impossible configuration: \(name) is \(value)\(need)")
    }
    guard let kind = NetworkKind(rawValue: network) else { throw refuse("network", "'\(network)'") }
    if let impossible { throw refuse(impossible.name, impossible.value, ", but \(impossible.need)") }
    guard dropout == 0 || kind.takesDropout else { throw refuse("dropout", "\(dropout)") }
  }
}
