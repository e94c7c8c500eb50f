public import Files

/// A stretch of training: "500" steps, or "2.5e" epochs.
public enum TrainingLength: Equatable, Sendable, CodedAsText {
  package static let meaning =
    "a number of steps from 0 to \(Limits.mostSteps), or of epochs from 0e to \(Limits.mostEpochs.shown)e"

  case steps(Int)
  case epochs(Double)

  /// nil for anything but a number that `meaning` describes, with an "e" behind it for epochs.
  package init?(_ text: String) {
    if text.hasSuffix("e") {
      guard let epochs = Double(given: String(text.dropLast())) else { return nil }
      self = .epochs(epochs)
    } else {
      guard let steps = Int(text) else { return nil }
      self = .steps(steps)
    }
    guard isPossible else { return nil }
  }

  /// Whether its steps can be counted, however long an epoch is.
  package var isPossible: Bool {
    switch self {
    case .steps(let count): (0...Limits.mostSteps).contains(count)
    case .epochs(let count): (0...Limits.mostEpochs).contains(count)
    }
  }

  package func steps(perEpoch: Int) -> Int {
    switch self {
    case .steps(let count): count
    case .epochs(let count): Int((count * Double(perEpoch)).rounded())
    }
  }

  /// As a person would type it.
  public var description: String {
    switch self {
    case .steps(let count): "\(count)"
    case .epochs(let count): count == count.rounded() ? "\(Int(count))e" : "\(count)e"
    }
  }
}

/// How often a checkpoint is written: after so many steps or epochs ("500", "2e"), or minutes ("10m").
public enum CheckpointInterval: Equatable, Sendable, CodedAsText {
  package static let meaning =
    TrainingLength.meaning + ", or of minutes above 0m, up to \(Limits.mostMinutes.shown)m"

  case length(TrainingLength)
  case minutes(Double)

  package init?(_ text: String) {
    if text.hasSuffix("m") {
      guard let minutes = Double(given: String(text.dropLast())) else { return nil }
      self = .minutes(minutes)
    } else {
      guard let length = TrainingLength(text) else { return nil }
      self = .length(length)
    }
    guard isPossible else { return nil }
  }

  package var isPossible: Bool {
    switch self {
    case .length(let length): length.isPossible
    case .minutes(let minutes): minutes > 0 && minutes <= Limits.mostMinutes
    }
  }

  /// As a person would type it.
  public var description: String {
    switch self {
    case .length(let length): length.description
    case .minutes(let minutes): minutes == minutes.rounded() ? "\(Int(minutes))m" : "\(minutes)m"
    }
  }
}
