import Glibc

/// A long text file as blocks of whole lines, each read by itself: who needs a part of a list reads that part alone.
package struct TextBlocks: Sendable {
  package let path: String
  /// Bytes of the whole file.
  package var size: Int { borders.last! }
  /// Where the blocks begin, and the end of the file.
  private let borders: [Int]
  /// Lines that end before each block.
  private let linesBefore: [Int]
  /// What a pipe brought: it can be read once.
  private let piped: [UInt8]?

  package static let blockSize = 1 << 20

  /// Looks once through the file, and keeps nothing of it.
  ///
  /// - Throws: `FileError` where it cannot be read, `DataError` where a pipe brings no text.
  package init(path: String, blockSize: Int = blockSize) throws {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError("read", path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let bytes = Array(try TextFile.bytes(of: path))
      (borders, linesBefore, piped) = ([0, bytes.count], [0], bytes)
      return
    }
    var (borders, linesBefore) = ([0], [0])
    var (offset, lines) = (0, 0)
    var piece = [UInt8](repeating: 0, count: blockSize)
    var last: UInt8 = 0
    while true {
      let count = try Self.read(descriptor, &piece, at: offset, path)
      guard count > 0 else { break }
      // A block begins behind the first LF past its nominal place.
      if offset > 0, let end = piece[..<count].firstIndex(of: 10) {
        borders.append(offset + end + 1)
        linesBefore.append(lines + Self.lineEnds(piece[...end], after: last))
      }
      lines += Self.lineEnds(piece[..<count], after: last)
      last = piece[count - 1]
      offset += count
    }
    if borders.last == offset, borders.count > 1 {
      borders.removeLast()
      linesBefore.removeLast()
    }
    (self.borders, self.linesBefore, piped) = (borders + [offset], linesBefore, nil)
  }

  package var count: Int { borders.count - 1 }

  /// The lines of a block.
  ///
  /// - Throws: `FileError` where it cannot be read, `DataError` where it is no text in UTF-8.
  package func text(_ block: Int) throws -> DelimitedText {
    try text(borders[block]..<borders[block + 1], firstLine: linesBefore[block])
  }

  /// The lines of the whole file.
  ///
  /// - Throws: as `text`.
  package func whole() throws -> DelimitedText { try text(0..<size, firstLine: 0) }

  private func text(_ range: Range<Int>, firstLine: Int) throws -> DelimitedText {
    if let piped { return try DelimitedText(piped, path: path) }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", path) }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: range.count)
    var done = 0
    while done < range.count {
      var piece = [UInt8](repeating: 0, count: min(range.count - done, 1 << 20))
      let count = try Self.read(descriptor, &piece, at: range.lowerBound + done, path)
      guard count > 0 else {
        throw DataError(path, "it has become shorter while it was read", remedy: "Start again when it is whole.")
      }
      bytes.replaceSubrange(done..<(done + count), with: piece[..<count])
      done += count
    }
    return try DelimitedText(bytes, path: path, firstLine: firstLine)
  }

  /// As many bytes as there are, up to the buffer's. The corresponding C function is `pread`.
  private static func read(
    _ descriptor: Int32, _ buffer: inout [UInt8], at offset: Int, _ path: String
  ) throws(FileError) -> Int {
    while true {
      let size = buffer.count
      let count = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress!, size, off_t(offset)) }
      if count >= 0 { return count }
      guard errno == EINTR else { throw FileError("read", path) }
    }
  }

  /// Ends of lines in a part of a text: LF, CRLF and CR. `last` is the byte before the part.
  private static func lineEnds(_ bytes: ArraySlice<UInt8>, after last: UInt8) -> Int {
    bytes.withUnsafeBufferPointer { bytes in
      var (feeds, returns, both) = (0, 0, 0)
      var before = last
      for byte in bytes {
        feeds += byte == 10 ? 1 : 0
        returns += byte == 13 ? 1 : 0
        both += byte == 10 && before == 13 ? 1 : 0
        before = byte
      }
      return feeds + returns - both
    }
  }
}
