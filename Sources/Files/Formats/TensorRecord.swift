/// A tensor of a file as the checkpoint's document lists it.
package struct TensorRecord: Codable, Equatable, Sendable {
  package let name: String
  /// As safetensors spells it, "F32".
  package let type: String
  package let shape: [Int]
  /// Of the bytes as stored.
  package let digest: Digest

  package init(name: String, type: String, shape: [Int], digest: Digest) {
    self.name = name
    self.type = type
    self.shape = shape
    self.digest = digest
  }
}
