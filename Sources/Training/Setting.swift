package import Files

/// An option of training as it is declared: its default, what it may be, and what a run that goes on makes of it. The
/// property's name is the option's: on the command line, in YAML, in checkpoints.
///
/// In files it is the bare value, so that what is read there knows no bounds: `TrainingOptions.declared` does.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
@propertyWrapper
public struct Setting<Value: Codable & Equatable & Sendable>: Sendable {
  public var wrappedValue: Value
  public var projectedValue: Self { self }
  package let bounds: (any Bounds)?
  package let resuming: Resuming

  private init(_ value: Value, bounds: (any Bounds)?, _ resuming: Resuming) {
    (wrappedValue, self.bounds, self.resuming) = (value, bounds, resuming)
  }

  package init(_ value: Value, resuming: Resuming = .accepted) { self.init(value, bounds: nil, resuming) }

  package init(_ value: Value, _ bounds: NumberRange<Value>, resuming: Resuming = .accepted) where Value: GivenNumber {
    self.init(value, bounds: bounds, resuming)
  }

  package init<Number>(_ value: Value, _ bounds: NumberRange<Number>, resuming: Resuming = .accepted)
  where Value == Number? {
    self.init(value, bounds: bounds, resuming)
  }
}

/// Whether a run that goes on takes another value than its checkpoint's.
package enum Resuming: Sendable {
  /// Changes what is computed: with --accept-changes alone.
  case accepted
  /// Changes neither the mathematics nor the data.
  case free
  /// Counts at a run's start alone, or the checkpoint's tensors fit nothing else.
  case fixed
  /// This start's own business: never the last one's.
  case forgotten
}

// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension Setting: Equatable {
  public static func == (a: Self, b: Self) -> Bool { a.wrappedValue == b.wrappedValue }
}

// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension Setting: Codable {
  public init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(Value.self)) }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(wrappedValue)
  }
}

// What is not given is not written.
extension KeyedEncodingContainer {
  mutating func encode<Value>(_ setting: Setting<Value?>, forKey key: Key) throws {
    try encodeIfPresent(setting.wrappedValue, forKey: key)
  }
}

extension KeyedDecodingContainer {
  func decode<Value>(_ type: Setting<Value?>.Type, forKey key: Key) throws -> Setting<Value?> {
    Setting(try decodeIfPresent(Value.self, forKey: key))
  }
}

/// A setting of any type.
package protocol AnySetting: Sendable {
  var value: any Sendable { get }
  var resuming: Resuming { get }
  /// The value, or the part of it, that is not what it may be, and what is needed.
  func problem(of value: any Sendable) -> (value: String, need: String)?
}

extension Setting: AnySetting {
  package var value: any Sendable { wrappedValue }

  package func problem(of value: any Sendable) -> (value: String, need: String)? {
    if let bounds { return bounds.outside(value).map { ($0, bounds.need) } }
    let texts = value as? [any CodedAsText] ?? (value as? any CodedAsText).map { [$0] } ?? []
    return texts.first { !$0.isPossible }.map { ("\($0)", type(of: $0).meaning + " is needed") }
  }
}
