import Files
package import Inference
package import MPI

extension DividedTable {
  /// Bytes of a piece that travels.
  private static let pieceSize = 4 << 20

  /// Calls `body` on every rank with all rows of `root`, some at a time, and the number of the first; every rank calls it.
  package func forEachPiece(
    of root: Int, _ communicator: Communicator, _ body: (_ piece: EmbeddingTable, _ start: Int) throws -> Void
  ) throws {
    let all = rows(of: root)
    let length = max(Self.pieceSize / (own.width * MemoryLayout<Float>.size), 1)
    for start in stride(from: all.lowerBound, to: all.upperBound, by: length) {
      try body(piece(start..<min(start + length, all.upperBound), of: root, communicator), start)
      Heartbeat.beat()
    }
  }

  private func piece(_ rows: Range<Int>, of root: Int, _ communicator: Communicator) throws -> EmbeddingTable {
    let width = own.width
    var vectors: [Float] = []
    var inverseNorms: [Double] = []
    if communicator.rank == root {
      let start = self.rows(of: root).lowerBound
      own.withRows((rows.lowerBound - start)..<(rows.upperBound - start)) { values, norms in
        vectors = Array(values)
        inverseNorms = Array(norms)
      }
    } else {
      vectors = [Float](repeating: 0, count: rows.count * width)
      inverseNorms = [Double](repeating: 0, count: rows.count)
    }
    try vectors.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      try communicator.broadcast(buffer, from: root)
    }
    try inverseNorms.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      try communicator.broadcast(buffer, from: root)
    }
    return EmbeddingTable(vectors: vectors, inverseNorms: inverseNorms, width: width)
  }
}
