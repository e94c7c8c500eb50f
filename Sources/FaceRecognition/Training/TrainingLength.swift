/// A stretch of training: "500" steps, or "2.5e" epochs.
package enum TrainingLength: Equatable, Sendable, Codable, CustomStringConvertible {
  case steps(Int)
  case epochs(Double)

  /// nil for anything but a number that is not negative, with an "e" behind it for epochs.
  package init?(_ text: some StringProtocol) {
    if text.hasSuffix("e") {
      guard let epochs = Double(text.dropLast()), epochs.isFinite, epochs >= 0 else { return nil }
      self = .epochs(epochs)
    } else {
      guard let steps = Int(text), steps >= 0 else { return nil }
      self = .steps(steps)
    }
  }

  package func steps(perEpoch: Int) -> Int {
    switch self {
    case .steps(let count): count
    case .epochs(let count): Int((count * Double(perEpoch)).rounded())
    }
  }

  package var description: String {
    switch self {
    case .steps(let count): "\(count)"
    case .epochs(let count): count == count.rounded() ? "\(Int(count))e" : "\(count)e"
    }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = TrainingLength(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "'\(text)' is no number of steps or epochs")
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
