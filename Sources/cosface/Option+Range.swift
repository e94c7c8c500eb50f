import ArgumentParser
import Files

// An option that is a number is declared with what it may be: text and values outside are refused where they are read, and
// the help tells the least and the greatest. The next argument is its value whatever that begins with: -1 is a number.
extension Option where Value: GivenNumber {
  init(wrappedValue: Value, _ range: NumberRange<Value>, help: String) {
    let help = ArgumentHelp(help, range.description, unlessGiven: wrappedValue.shown)
    self.init(wrappedValue: wrappedValue, parsing: .unconditional, help: help) { try range.number($0) }
  }
}

extension Option {
  init<Number: GivenNumber>(_ range: NumberRange<Number>, help: String) where Value == Number? {
    self.init(parsing: .unconditional, help: ArgumentHelp(help, range.description)) { try range.number($0) }
  }
}

// Lengths, intervals and ranges say themselves what they may be.
extension Option where Value: CodedAsText {
  init(wrappedValue: Value, help: String) {
    let help = ArgumentHelp(help, Value.meaning, unlessGiven: wrappedValue.description)
    self.init(wrappedValue: wrappedValue, parsing: .unconditional, help: help) { try Value(given: $0) }
  }
}

extension Option {
  init<Text: CodedAsText>(help: String) where Value == Text? {
    self.init(parsing: .unconditional, help: ArgumentHelp(help, Text.meaning)) { try Text(given: $0) }
  }

  init<Text: CodedAsText>(wrappedValue: Value, severalUpToNextOption help: String) where Value == [Text] {
    self.init(wrappedValue: wrappedValue, parsing: .upToNextOption, help: ArgumentHelp(help, Text.meaning)) {
      try Text(given: $0)
    }
  }
}

extension ArgumentHelp {
  /// "Threads that decode: a whole number from 1 to 1024. (default: 1)"
  fileprivate init(_ help: String, _ bounds: String, unlessGiven value: String? = nil) {
    let sentence = help.hasSuffix(".") ? String(help.dropLast()) : help
    self.init(stringLiteral: "\(sentence): \(bounds)." + (value.map { " (default: \($0))" } ?? ""))
  }
}
