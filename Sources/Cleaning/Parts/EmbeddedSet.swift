import Datasets
import Inference

/// A set's people and the embeddings of their images.
///
/// Row i of the table belongs to image `samples[i]`, and shows person `labels[i]` if the set is right.
struct EmbeddedSet: Sendable {
  let source: any ImageSource
  let table: EmbeddingTable
  /// Ascending.
  let samples: [Int]
  let labels: [Int]
  /// The rows of each person, ascending.
  let rows: [[Int]]

  init(_ source: any ImageSource, _ table: EmbeddingTable, samples: [Int]) {
    precondition(samples.count == table.count, "\(table.count) rows for \(samples.count) images")
    (self.source, self.table, self.samples) = (source, table, samples)
    labels = samples.map { source.label(of: $0) }
    var rows = [[Int]](repeating: [], count: source.classNames.count)
    for (row, label) in labels.enumerated() { rows[label].append(row) }
    self.rows = rows
  }

  var people: Int { rows.count }

  /// Some rows as a table of their own.
  func table(of rows: [Int]) -> EmbeddingTable {
    var values = [Float](repeating: 0, count: rows.count * table.width)
    values.withUnsafeMutableBufferPointer { values in
      for (place, row) in rows.enumerated() {
        table.copyUnitVectors(row..<row + 1, to: values.baseAddress! + place * table.width)
      }
    }
    return Self.table(values, width: table.width)
  }

  /// A table of rows that are known to have directions.
  static func table(_ values: [Float], width: Int) -> EmbeddingTable {
    do { return try EmbeddingTable(values, width: width) { "\($0)" } } catch {
      preconditionFailure("A row without a direction: \(error)")
    }
  }
}
