import Foundation
import Training

/// A setting that has no meaning, by itself or together with others.
public struct SettingError: Error, Equatable, CustomStringConvertible {
  /// What is wrong and what is needed, for a person, with the properties' names.
  public let description: String

  init(_ setting: String, _ value: String, _ need: String) { description = "\(setting) is \(value), but \(need)." }

  /// - Parameter conflict: tells of options by their names on the command line.
  init(conflict: String) {
    description = conflict.replacing(/--([a-z-]+)/) { TrainingOptions.name(of: $0.1) }
  }
}
