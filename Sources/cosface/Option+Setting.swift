public import ArgumentParser
public import Datasets
public import Distributed
import Files
public import NeuralNetwork
public import Training

// An option of training is declared with its property in `TrainingOptions`, which has the name, the default and the bounds.
extension Option where Value: GivenNumber & Codable {
  init(of setting: KeyPath<TrainingOptions, Setting<Value>>, help: String) {
    let setting = TrainingOptions.defaults[keyPath: setting]
    self.init(wrappedValue: setting.wrappedValue, setting.bounds as! NumberRange<Value>, help: help)
  }
}

extension Option {
  init<Number: GivenNumber & Codable>(of setting: KeyPath<TrainingOptions, Setting<Value>>, help: String)
  where Value == Number? {
    self.init(TrainingOptions.defaults[keyPath: setting].bounds as! NumberRange<Number>, help: help)
  }

  init<Text: CodedAsText & Equatable>(of setting: KeyPath<TrainingOptions, Setting<Value>>, help: String)
  where Value == Text? {
    self.init(help: help)
  }

  init<Text: CodedAsText & Equatable>(of setting: KeyPath<TrainingOptions, Setting<Value>>, help: String)
  where Value == [Text] {
    self.init(wrappedValue: [], severalUpToNextOption: help)
  }

  init(of setting: KeyPath<TrainingOptions, Setting<Value>>, help: String) where Value == String? {
    self.init(help: ArgumentHelp(help))
  }

  init(of setting: KeyPath<TrainingOptions, Setting<Value>>, help: String) where Value == [String] {
    self.init(wrappedValue: [], parsing: .upToNextOption, help: ArgumentHelp(help))
  }
}

extension Option where Value: CodedAsText & Equatable {
  init(of setting: KeyPath<TrainingOptions, Setting<Value>>, help: String) {
    self.init(wrappedValue: TrainingOptions.defaults[keyPath: setting].wrappedValue, help: help)
  }
}

extension Option where Value: CaseIterable & ExpressibleByArgument & Codable & Equatable & Sendable {
  init(of setting: KeyPath<TrainingOptions, Setting<Value>>, help: String) {
    self.init(wrappedValue: TrainingOptions.defaults[keyPath: setting].wrappedValue, help: ArgumentHelp(help))
  }
}

extension Option {
  init<Kind: CaseIterable & ExpressibleByArgument & Codable & Equatable & Sendable>(
    of setting: KeyPath<TrainingOptions, Setting<Value>>, help: String
  ) where Value == Kind? {
    self.init(help: ArgumentHelp(help))
  }
}

extension Flag where Value == Bool {
  /// One that is on unless given has a --no- before its name.
  init(of setting: KeyPath<TrainingOptions, Setting<Bool>>, help: String) {
    let isOn = TrainingOptions.defaults[keyPath: setting].wrappedValue
    let help = ArgumentHelp(help)
    if isOn {
      self.init(wrappedValue: true, inversion: .prefixedNo, help: help)
    } else {
      self.init(wrappedValue: false, help: help)
    }
  }
}

extension TrainingOptions {
  /// Takes what the flags of a command, and of its groups, say: a flag's name is the option's.
  mutating func take(_ flags: any ParsableArguments) throws {
    var values = try values()
    for (name, value) in Self.values(of: flags) where Self.declared[name] != nil {
      let value = try JSONValue(encoding: value)
      if value != .null { values[name] = value }
    }
    self = try TrainingOptions(values)
  }

  private static func values(of flags: any ParsableArguments) -> [(name: String, value: any Encodable)] {
    Mirror(reflecting: flags).children.flatMap { label, wrapper -> [(String, any Encodable)] in
      if let group = wrapper as? any FlagGroup { return values(of: group.flags) }
      guard let label, let flag = wrapper as? any TakenFlag else { return [] }
      return [(String(label.dropFirst()), flag.taken)]
    }
  }
}

extension ParsableArguments {
  /// The options of training among these flags, with the defaults of all others.
  func trainingOptions() throws -> TrainingOptions {
    var options = TrainingOptions.defaults
    try options.take(self)
    return options
  }

  /// Refuses what options of training must not be together; those of other groups are taken for their defaults.
  ///
  /// - Parameter kind: the command's optimizer where none is given; nil where that is another group's matter.
  func refuseConflicts(usual kind: OptimizerKind? = nil) throws {
    let options = try trainingOptions()
    let conflict = (kind.map(options.with(usual:)) ?? options).conflict
    if let conflict { throw ValidationError(conflict) }
  }
}

private protocol TakenFlag {
  var taken: any Encodable { get }
}

extension Option: TakenFlag where Value: Encodable {
  fileprivate var taken: any Encodable { wrappedValue }
}

extension Flag: TakenFlag where Value == Bool {
  fileprivate var taken: any Encodable { wrappedValue }
}

private protocol FlagGroup {
  var flags: any ParsableArguments { get }
}

extension OptionGroup: FlagGroup {
  fileprivate var flags: any ParsableArguments { wrappedValue }
}

extension Augmentation: ExpressibleByArgument {}
extension ClassifierKind: ExpressibleByArgument {}
extension GradientType: ExpressibleByArgument {}
extension MarginKind: ExpressibleByArgument {}
extension NetworkKind: ExpressibleByArgument {}
extension NewRows: ExpressibleByArgument {}
extension OptimizerKind: ExpressibleByArgument {}
extension Sampling: ExpressibleByArgument {}
extension ScheduleName: ExpressibleByArgument {}
