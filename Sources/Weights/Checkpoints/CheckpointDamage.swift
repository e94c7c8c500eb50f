/// One thing that is wrong with a checkpoint.
package struct CheckpointDamage: Error, Codable, Equatable, Sendable, CustomStringConvertible {
  /// The file's name within the checkpoint.
  package let file: String
  /// Where one tensor can be named.
  package let tensor: String?
  package let reason: String

  package init(_ file: String, tensor: String? = nil, _ reason: String) {
    self.file = file
    self.tensor = tensor
    self.reason = reason
  }

  package var description: String { file + (tensor.map { ", tensor '\($0)'" } ?? "") + ": " + reason }
}
