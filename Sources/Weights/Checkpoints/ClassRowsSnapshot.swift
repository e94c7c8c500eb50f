package import Files
package import NeuralNetwork

/// The file of a sharded checkpoint that holds one rank's rows of the class weight and their optimizer's states.
///
///     classWeight-00002-of-00003.safetensors     classWeight.00002-of-00003 (rows, K), momentum.classWeight.00002-of-00003
package struct ClassRowsRecord: Codable, Equatable, Sendable {
  /// The file's name within the checkpoint.
  package let file: String
  package let firstRow: Int
  package let rowCount: Int
  /// The rows, then their states.
  package let tensors: [TensorRecord]

  var rows: Range<Int> { firstRow..<(firstRow + rowCount) }

  /// "classWeight-00002-of-00003.safetensors"; `part` counts from 0.
  static func fileName(_ part: Int, of parts: Int) -> String { "classWeight-\(label(part, of: parts)).safetensors" }

  /// "classWeight.00002-of-00003"
  static func tensorName(_ part: Int, of parts: Int) -> String { "classWeight.\(label(part, of: parts))" }

  private static func label(_ part: Int, of parts: Int) -> String { "\((part + 1).digits(5))-of-\(parts.digits(5))" }
}

/// A copy of one rank's rows of the class weight and their optimizer's states.
package final class ClassRowsSnapshot: @unchecked Sendable {
  /// What a rank tells rank 0 of the file that it has written.
  package struct Part: Codable, Sendable {
    let record: ClassRowsRecord
    /// Of the whole file.
    let digest: Digest
  }

  private let copy: TensorCopy
  private let rows: Range<Int>
  private let file: String

  /// The rows of `classWeight` as the `part`-th of `parts`; its memory must stay where it is.
  package init(_ classWeight: ClassWeight, part: Int, of parts: Int) {
    rows = classWeight.classes
    file = ClassRowsRecord.fileName(part, of: parts)
    let (name, weight) = (ClassRowsRecord.tensorName(part, of: parts), classWeight.parameter)
    copy = TensorCopy(
      [.init(name: name, shape: weight.shape, values: weight.value)]
        + weight.states.map {
          .init(name: OptimizerState.tensorName($0.name, of: name), shape: weight.shape, values: $0.values)
        })
  }

  package var bytes: Int { copy.bytes }

  /// Copies the rows as they are now; they must have been materialized.
  package func capture() { copy.capture() }

  /// Writes the copy into a checkpoint's folder and makes it durable.
  package func write(to folder: CheckpointFolder) throws -> Part {
    var writer = SafetensorsWriter(metadata: ["format": "pt"])
    for (index, source) in copy.sources.enumerated() {
      writer.add(source.name, shape: source.shape, copy.values(index))
    }
    let record = ClassRowsRecord(file: file, firstRow: rows.lowerBound, rowCount: rows.count, tensors: writer.records)
    return Part(record: record, digest: try writer.write(to: folder.file(file)))
  }
}
