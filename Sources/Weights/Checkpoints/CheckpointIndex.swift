import Files
import Foundation

/// `model.safetensors.index.json` of a sharded checkpoint: which file holds which tensor, as Hugging Face's libraries
/// write and read it.
struct CheckpointIndex: Codable, Equatable {
  struct Metadata: Codable, Equatable {
    /// Bytes of all tensors.
    let totalSize: Int

    private enum CodingKeys: String, CodingKey { case totalSize = "total_size" }
  }

  let metadata: Metadata
  /// File of each tensor.
  let weightMap: [String: String]

  private enum CodingKeys: String, CodingKey {
    case metadata
    case weightMap = "weight_map"
  }

  init(model: [TensorRecord], optimizer: [TensorRecord], classRows: [ClassRowsRecord]) {
    var files: [String: String] = [:]
    var bytes = 0
    let groups =
      [(CheckpointFolder.modelName, model), (CheckpointFolder.optimizerName, optimizer)]
      + classRows.map { ($0.file, $0.tensors) }
    for (file, records) in groups {
      for record in records {
        files[record.name] = file
        bytes += record.shape.reduce(TensorType(rawValue: record.type)?.width ?? 0, *)
      }
    }
    metadata = Metadata(totalSize: bytes)
    weightMap = files
  }

  func encoded() throws -> Data { try JSONText.indented(self) }
}
