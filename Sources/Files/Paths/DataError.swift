/// What is wrong with the user's data: which file or folder, why, and what to do about it.
package struct DataError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file or folder, as a person would look for it.
  package let path: String
  package let reason: String
  /// What to do, where there is more to say than "look at it".
  package let remedy: String?

  package init(_ path: String, _ reason: String, remedy: String? = nil) {
    self.path = path
    self.reason = reason
    self.remedy = remedy
  }

  /// Of a line of a text file, counted from 1.
  package init(_ path: String, line: Int, _ reason: String, remedy: String? = nil) {
    self.init("\(path), line \(line)", reason, remedy: remedy)
  }

  package var description: String {
    "\(path.printableName): \(reason).\(remedy.map { " \($0)" } ?? "")"
  }
}
