/// The lines of a tensor of bytes, each ended by a line feed, left where they stand in the mapped file: a million names cost
/// the places of their beginnings.
package struct LineColumn: RandomAccessCollection, Sendable {
  private let bytes: Column<UInt8>
  /// Of each line, and behind the last one. (count + 1)
  private let starts: [Int]

  /// - Parameter name: of a tensor of UInt8. What follows the last line feed is no line.
  /// - Throws: `SafetensorsError`
  package init(_ name: String, of file: SafetensorsFile) throws {
    bytes = try Column(name, of: file)
    starts = bytes.withBytes { bytes in
      let lineFeed = UInt8(ascii: "\n")
      // Counted first: an array that grows is there twice.
      var starts = [0]
      starts.reserveCapacity(bytes.count { $0 == lineFeed } + 1)
      for (place, byte) in bytes.enumerated() where byte == lineFeed { starts.append(place + 1) }
      return starts
    }
  }

  package var startIndex: Int { 0 }
  package var endIndex: Int { starts.count - 1 }

  /// Bytes that are no UTF-8 are replaced.
  package subscript(line: Int) -> Name { withBytes(of: line) { Name(String(decoding: $0, as: UTF8.self)) } }

  /// Calls `body` with a line's bytes, without its end.
  package func withBytes<Result>(
    of line: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try bytes.withBytes { try body(UnsafeRawBufferPointer(rebasing: $0[starts[line]..<(starts[line + 1] - 1)])) }
  }
}
