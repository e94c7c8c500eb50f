/// A safetensors file that is not what it should be: which, where in it, and why.
package struct SafetensorsError: Error, Equatable, CustomStringConvertible {
  package let path: String
  /// The tensor that is wrong, where one can be named.
  package let tensor: String?
  /// The byte of the file at which it shows, where there is one.
  package let offset: Int?
  package let reason: String

  package init(path: String, tensor: String? = nil, offset: Int? = nil, reason: String) {
    self.path = path
    self.tensor = tensor
    self.offset = offset
    self.reason = reason
  }

  package var description: String {
    var text = "'\(path.printableName)'"
    if let tensor { text += ", tensor '\(tensor)'" }
    if let offset { text += ", byte \(offset)" }
    return text + ": " + reason + "."
  }
}
