import Files
import Foundation

extension TrainingOptions {
  /// Names and values, to compare ranks by.
  package func named() throws -> [(name: String, value: String)] {
    let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(self)) as? [String: Any] ?? [:]
    return object.sorted { $0.key < $1.key }.map { ("option \($0.key)", "\($0.value)") }
  }

  /// Writes all options as JSON, defaults included.
  package func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(try encoder.encode(self) + Data("\n".utf8), to: path)
  }
}
