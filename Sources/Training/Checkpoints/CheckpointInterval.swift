public import Files

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
