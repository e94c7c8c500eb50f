public import Files

/// What the learning rate of the parameters that a pattern names is multiplied with: "fc.*=2".
public struct RateFactor: CodedAsText, Equatable {
  package static let most = 1000.0
  package static let meaning =
    "PATTERN=F, such as 'fc.*=2', F a number above 0, up to \(most.shown) (to leave parameters as they are, give "
    + "--freeze)"

  /// Of names, as a shell would write it.
  public var pattern: String
  /// Above 0.
  public var factor: Double

  /// The parameters that `pattern` names, at `factor` times the rate.
  public init(_ pattern: String, _ factor: Double) { (self.pattern, self.factor) = (pattern, factor) }

  /// nil for anything but what `meaning` describes.
  package init?(_ text: String) {
    guard let sign = text.lastIndex(of: "="), let factor = Double(given: String(text[text.index(after: sign)...]))
    else {
      return nil
    }
    self.init(String(text[..<sign]), factor)
    guard isPossible else { return nil }
  }

  package var isPossible: Bool { !pattern.isEmpty && factor > 0 && factor <= Self.most }

  /// As a person would type it.
  public var description: String { "\(pattern)=\(factor.shown)" }
}
