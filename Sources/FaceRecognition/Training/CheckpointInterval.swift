/// How often a checkpoint is written: after so many steps or epochs ("500", "2e"), or minutes ("10m").
package enum CheckpointInterval: Equatable, Sendable, CodedAsText {
  package static let meaning = "an interval of checkpoints"

  case length(TrainingLength)
  case minutes(Double)

  package init?(_ text: String) {
    if text.hasSuffix("m") {
      guard let minutes = Double(text.dropLast()), minutes.isFinite, minutes > 0 else { return nil }
      self = .minutes(minutes)
    } else {
      guard let length = TrainingLength(text) else { return nil }
      self = .length(length)
    }
  }

  package var description: String {
    switch self {
    case .length(let length): length.description
    case .minutes(let minutes): minutes == minutes.rounded() ? "\(Int(minutes))m" : "\(minutes)m"
    }
  }
}
