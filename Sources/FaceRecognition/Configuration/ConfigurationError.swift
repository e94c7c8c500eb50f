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
