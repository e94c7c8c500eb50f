import Files
import Foundation
import Yams

/// A YAML file with the options of a run: one mapping from their names to single values, or lists of them.
///
/// ```yaml
/// network: mobilefacenet
/// learning-rate: 0.05
/// schedule: step
/// milestones: [10e, 16e]
/// nesterov: true
/// ```
package struct ConfigurationFile: Equatable, Sendable {
  package struct Entry: Equatable, Sendable {
    package let key: String
    /// From 1.
    package let line: Int
    /// As they are written, quotes taken off.
    package let values: [String]
    package let isList: Bool
  }

  package let path: String
  /// In the file's order; no key twice.
  package let entries: [Entry]

  /// Hundreds of times what a run needs.
  static let maximumBytes = 64 << 10

  /// - Throws: `FileError`, `DataError` where it is too long or no text, `ConfigurationError` naming the line that is wrong.
  package init(path: String) throws {
    let bytes = try TextFile.bytes(of: path, maximum: Self.maximumBytes)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationError(path, "a configuration is text in UTF-8, and this is not.")
    }
    try self.init(text: text, path: path)
  }

  /// Reads the file's text; `path` is for the messages.
  package init(text: String, path: String) throws(ConfigurationError) {
    self.path = path
    try Self.refuseAliases(text, path)
    let root: Node?
    do { root = try Yams.compose(yaml: text) } catch { throw Self.error(error, path) }
    guard let root else {
      entries = []
      return
    }
    guard case .mapping(let mapping) = root else {
      throw ConfigurationError(path, line: root.mark?.line, "options are needed, one a line, such as 'batch-size: 32'.")
    }
    var entries: [Entry] = []
    for (key, value) in mapping { entries.append(try Self.entry(key, value, path)) }
    self.entries = entries
  }

  /// A few aliases of aliases stand for billions of values, and compare like them: nothing here needs any.
  private static func refuseAliases(_ text: String, _ path: String) throws(ConfigurationError) {
    let anchors = Set(text.matches(of: /&([0-9A-Za-z_-]+)/).map(\.1))
    guard let alias = text.matches(of: /\*([0-9A-Za-z_-]+)/).first(where: { anchors.contains($0.1) }) else { return }
    let line = text[..<alias.range.lowerBound].utf8.count { $0 == 10 } + 1
    throw ConfigurationError(path, line: line, "write the value out: '\(alias.0)' and other aliases are not taken.")
  }

  private static func entry(_ key: Node, _ value: Node, _ path: String) throws(ConfigurationError) -> Entry {
    let line = key.mark?.line ?? 0
    guard case .scalar(let name) = key else {
      throw ConfigurationError(path, line: line, "the name of an option is needed before the colon.")
    }
    switch value {
    case .scalar(let scalar):
      return Entry(key: name.string, line: line, values: [try text(scalar, of: name.string, line, path)], isList: false)
    case .sequence(let sequence):
      var values: [String] = []
      for item in sequence {
        guard case .scalar(let scalar) = item else {
          throw ConfigurationError(path, line: line, "'\(name.string)' must be a list of single values.")
        }
        values.append(try text(scalar, of: name.string, line, path))
      }
      return Entry(key: name.string, line: line, values: values, isList: true)
    case .mapping, .alias:
      throw ConfigurationError(
        path, line: line, "'\(name.string)' must be a single value or a list, not options itself.")
    }
  }

  private static func text(
    _ scalar: Node.Scalar, of key: String, _ line: Int, _ path: String
  ) throws(ConfigurationError) -> String {
    if scalar.style == .plain, ["", "~", "null", "Null", "NULL"].contains(scalar.string) {
      throw ConfigurationError(path, line: line, "'\(key)' has no value: give one, or remove the line.")
    }
    guard !scalar.string.contains("\0") else {
      throw ConfigurationError(path, line: line, "'\(key)' holds a zero byte.")
    }
    return scalar.string
  }

  private static func error(_ error: any Error, _ path: String) -> ConfigurationError {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return ConfigurationError(path, line: mark.line, "this is no YAML: \(problem).")
    case .duplicatedKeysInMapping(let names, let context):
      let names = names.map { "'\($0)'" }.joined(separator: ", ")
      return ConfigurationError(path, line: context.mark.line, "\(names) stands there twice: keep one.")
    default:
      return ConfigurationError(path, "this is no YAML: \(error).")
    }
  }
}

/// A configuration that cannot be used: which file, which line (from 1), and why.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  package let path: String
  package let line: Int?
  package let reason: String

  package init(_ path: String, line: Int? = nil, _ reason: String) {
    self.path = path
    self.line = line
    self.reason = reason
  }

  package var description: String { path.printableName + (line.map { ", line \($0)" } ?? "") + ": " + reason }
}
