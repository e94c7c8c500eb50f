package import Files
import Foundation

/// `state.json` of a checkpoint: who wrote it and when, where the run stood, and what the tensor files must hold.
package struct CheckpointDocument: Codable, Equatable, Sendable {
  /// Counts up when an older program could no longer read the file rightly.
  package static let currentFormat = 2
  /// Of a checkpoint whose class weight is whole, which format 1 could express.
  private static let wholeFormat = 1
  /// 100 thousand tensors; no reader allocates more for a file that claims to be one of these.
  static let maximumBytes = 32 << 20

  package var format: Int
  package var program = ProgramVersion.name
  /// UTC, ISO 8601.
  package var written: String
  package var state: CheckpointState
  package var model: [TensorRecord]
  package var optimizer: [TensorRecord]
  /// Where the class weight is divided: its files, in the order of the rows.
  package var classRows: [ClassRowsRecord]?

  init(
    _ state: CheckpointState, model: [TensorRecord], optimizer: [TensorRecord], classRows: [ClassRowsRecord]? = nil,
    written: Date = Date()
  ) {
    format = classRows == nil ? Self.wholeFormat : Self.currentFormat
    self.classRows = classRows
    self.written = written.ISO8601Format()
    self.state = state
    self.model = model
    self.optimizer = optimizer
  }

  /// The file's bytes.
  func encoded() throws -> Data { try JSONText.indented(self) }

  private struct Version: Decodable {
    let format: Int
    let program: String
  }

  /// Reads the file's bytes; throws `CheckpointError.newerFormat`, or a `CheckpointDamage` that says what is wrong.
  init(decoding data: Data, in folder: CheckpointFolder) throws {
    do {
      let version = try JSONDecoder().decode(Version.self, from: data)
      guard version.format <= Self.currentFormat else {
        throw CheckpointError.newerFormat(folder.path, format: version.format, program: version.program)
      }
      self = try JSONDecoder().decode(CheckpointDocument.self, from: data)
    } catch let error as DecodingError {
      throw CheckpointDamage(CheckpointFolder.stateName, "it cannot be read: \(Self.reason(error))")
    }
    if let contradiction = state.contradiction {
      throw CheckpointDamage(CheckpointFolder.stateName, "no run can be where it says: \(contradiction)")
    }
  }

  private static func reason(_ error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      (context.codingPath.map(\.stringValue).joined(separator: ".") + " " + context.debugDescription)
        .trimmingCharacters(in: .whitespaces)
    @unknown default: "\(error)"
    }
  }
}
