import Files
package import MPI

extension Communicator {
  /// Lines of bytes that travel at a time.
  private static let pieceLength = 1 << 16

  /// Writes a header, and behind it the lines of all ranks in their order, a piece at a time. Every rank calls it; rank 0
  /// writes.
  ///
  /// - Parameters:
  ///   - count: this rank's lines.
  ///   - line: the line of a place, with its end.
  /// - Throws: `FileError`
  package func write(to path: String, header: String, lines count: Int, line: (_ place: Int) -> String) throws {
    let counts = try allGather(count)
    func forEachPiece(_ body: ([UInt8]) throws -> Void) throws {
      for root in 0..<size {
        for start in stride(from: 0, to: counts[root], by: Self.pieceLength) {
          var text = ""
          if rank == root {
            for place in start..<min(start + Self.pieceLength, count) { text += line(place) }
          }
          let bytes = try broadcast(bytes: Array(text.utf8), from: root)
          try body(bytes)
        }
      }
    }
    guard rank == 0 else { return try forEachPiece { _ in } }
    let file = try AtomicFile(path: path)
    try Array(header.utf8).withUnsafeBytes { try file.write($0) }
    try forEachPiece { bytes in try bytes.withUnsafeBytes { try file.write($0) } }
    try file.commit()
  }
}
