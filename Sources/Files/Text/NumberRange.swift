/// A number that people give: a whole number, a real one, or a seed.
package protocol GivenNumber: Comparable, Sendable {
  /// nil for text that is no such number.
  init?(given text: String)
  /// As a message shows it.
  var shown: String { get }
  /// What the type is called in messages.
  static var kind: String { get }
}

/// The least and the greatest value of a number that people give, and the message for all others.
///
/// ```swift
/// let batchSizes = NumberRange(1...65_536)
/// let batchSize = try batchSizes.number("32")
/// ```
package struct NumberRange<Number: GivenNumber>: Sendable {
  package let least: Number
  package let greatest: Number
  /// Whether the least itself is refused: "above 0".
  private let excludesLeast: Bool
  /// What a number must be a multiple of.
  private let unit: Int?
  /// What to give in place of a number outside.
  private var remedy: String?

  package init(_ range: ClosedRange<Number>) {
    (least, greatest, excludesLeast, unit) = (range.lowerBound, range.upperBound, false, nil)
  }

  /// Above `least`, up to `greatest`; `remedy` says what to give in place of a number outside.
  package init(above least: Number, upTo greatest: Number, remedy: String? = nil) {
    (self.least, self.greatest, excludesLeast, unit) = (least, greatest, true, nil)
    self.remedy = remedy
  }

  package func contains(_ value: Number) -> Bool {
    value >= least && value <= greatest && !(excludesLeast && value == least)
      && (unit == nil || (value as? Int)?.isMultiple(of: unit!) == true)
  }

  /// "a whole number from 1 to 65536"
  package var description: String {
    let kind = unit.map { "a multiple of \($0)" } ?? Number.kind
    return excludesLeast
      ? "\(kind) above \(least.shown), up to \(greatest.shown)" : "\(kind) from \(least.shown) to \(greatest.shown)"
  }

  /// What is said of a value that is not of the range.
  package var need: String { description + " is needed" + (remedy.map { "; " + $0 } ?? "") }

  /// The number that the text says.
  ///
  /// - Throws: `NumberError` with the least and the greatest value.
  package func number(_ text: String) throws(NumberError) -> Number {
    guard let value = Number(given: text), contains(value) else { throw NumberError(description: need) }
    return value
  }
}

extension NumberRange<Int> {
  /// Multiples of `unit` from it to `greatest`.
  package init(multiplesOf unit: Int, upTo greatest: Int) {
    (least, self.greatest, excludesLeast, self.unit) = (unit, greatest, false, unit)
  }
}

/// The bounds of numbers of some type.
package protocol Bounds: Sendable {
  /// What is said of a value that is not of the range.
  var need: String { get }
  /// The number, as a message shows it, where it lies outside; nil where it does not, or where there is none.
  func outside(_ value: any Sendable) -> String?
}

extension NumberRange: Bounds {
  package func outside(_ value: any Sendable) -> String? {
    guard let number = value as? Number, !contains(number) else { return nil }
    return "\(number)"
  }
}

/// Text that is no number, or one that is too small or too large: the message says what is needed.
package struct NumberError: Error, Equatable, CustomStringConvertible {
  package let description: String
}

extension Int: GivenNumber {
  package init?(given text: String) { self.init(text) }
  package var shown: String { "\(self)" }
  package static var kind: String { "a whole number" }
}

extension UInt64: GivenNumber {
  package init?(given text: String) { self.init(text) }
  package var shown: String { "\(self)" }
  package static var kind: String { "a whole number" }
}

extension Double: GivenNumber {
  /// -0 is taken for 0: no setting tells them apart, but files and ranks that compare settings would.
  package init?(given text: String) {
    guard let value = Double(text), value.isFinite else { return nil }
    self = value == 0 ? 0 : value
  }

  package var shown: String {
    let text = "\(self)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
  package static var kind: String { "a number" }
}
