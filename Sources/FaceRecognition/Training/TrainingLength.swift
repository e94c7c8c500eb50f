/// A stretch of training: "500" steps, or "2.5e" epochs.
package enum TrainingLength: Equatable, Sendable, CodedAsText {
  package static let meaning = "a number of steps or epochs"

  case steps(Int)
  case epochs(Double)

  /// nil for anything but a number that is not negative, with an "e" behind it for epochs.
  package init?(_ text: String) {
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
}
