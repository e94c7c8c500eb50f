package import Datasets
import Files

/// Embeddings that `cosface embed` wrote to a .safetensors, in place of a network.
package enum StoredEmbeddings {
  /// The row of each image of `source`, found by its name: row i is that of image i. What the file has of both looks is one
  /// vector, the embedding of the image and behind it that of its mirror image.
  ///
  /// - Throws: `DataError` where the file is not what `embed` writes now, or an image has no row; `SafetensorsError` or
  ///   `FileError` where it cannot be read; `EvaluationError` for a row without a direction.
  package static func table(of source: any ImageSource, from path: String) throws -> EmbeddingTable {
    let file = try EmbeddingFile(path: path)
    let places = try RowMatch([file], source).places[0]
    let width = file.looks * file.width
    var values = [Float](repeating: 0, count: source.count * width)
    try file.withRows { rows in
      values.withUnsafeMutableBytes { values in
        let bytes = width * MemoryLayout<Float>.size
        for (sample, row) in places {
          (values.baseAddress! + sample * bytes).copyMemory(from: rows.baseAddress! + row * bytes, byteCount: bytes)
          Heartbeat.beat()
        }
      }
    }
    return try EmbeddingTable(values, width: width) { source.identifier(of: $0) }
  }
}
