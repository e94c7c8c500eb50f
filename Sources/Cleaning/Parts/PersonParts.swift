import Files
import Inference
import NeuralNetwork

/// The images of every person, grouped into parts that each show one face: whoever does not look like the others of the
/// folder is in a part of its own.
struct PersonParts: Sendable {
  /// Of each person the groups of rows, the largest first: that one is taken for the person. None for a person of whom
  /// no image could be read.
  let parts: [[[Int]]]

  /// Images of a person that are compared all with all. Of a larger folder, these are grouped and the others each added
  /// to the part that they are nearest to.
  private static let mostCompared = 1024

  /// - Parameter bound: least mean cosine between two parts that are joined.
  init(_ set: EmbeddedSet, bound: Double) {
    var parts = [[[Int]]](repeating: [], count: set.people)
    parts.withUnsafeMutableBufferPointer { parts in
      let parts = parts.baseAddress!
      Parallel.ranges(set.people) { people in
        for person in people {
          parts[person] = Self.parts(of: set.rows[person], in: set.table, bound: bound)
          Heartbeat.beat()
        }
      }
    }
    self.parts = parts
  }

  private static func parts(of rows: [Int], in table: EmbeddingTable, bound: Double) -> [[Int]] {
    let step = (rows.count + mostCompared - 1) / mostCompared
    guard step > 1 else { return groups(of: rows, in: table, bound: bound) }
    let chosen = stride(from: 0, to: rows.count, by: step).map { rows[$0] }
    var parts = groups(of: chosen, in: table, bound: bound)
    let means = parts.map { table.sumOfUnitVectors($0, times: 1 / Double($0.count)) }
    for (place, row) in rows.enumerated() where place % step != 0 {
      let unit = table.sumOfUnitVectors([row])
      let scores = means.map { zip($0, unit).reduce(0) { $0 + $1.0 * $1.1 } }
      let best = scores.indices.max { (scores[$0], $1) < (scores[$1], $0) }!
      if scores[best] >= bound { parts[best].append(row) } else { parts.append([row]) }
    }
    return parts.map { $0.sorted() }.sorted { ($1.count, $0[0]) < ($0.count, $1[0]) }
  }

  private static func groups(of rows: [Int], in table: EmbeddingTable, bound: Double) -> [[Int]] {
    AverageLinkage.groups(rows.count, bound: bound) { table.cosine(rows[$0], rows[$1]) }.map { $0.map { rows[$0] } }
  }
}
