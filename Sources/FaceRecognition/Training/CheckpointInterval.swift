/// How often a checkpoint is written: after so many steps or epochs ("500", "2e"), or minutes ("10m").
package enum CheckpointInterval: Equatable, Sendable, Codable, CustomStringConvertible {
  case length(TrainingLength)
  case minutes(Double)

  package init?(_ text: some StringProtocol) {
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

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = CheckpointInterval(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is no interval of checkpoints")
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
