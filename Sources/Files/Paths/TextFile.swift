import Glibc

/// The bytes of a text file, UTF-8 without its byte order mark: what every reader of text begins with.
package enum TextFile {
  /// Reads a file, or what a pipe brings.
  ///
  /// - Parameter maximum: bytes that it may have.
  /// - Throws: `FileError` where it cannot be read, `DataError` where it is longer, or no text.
  package static func bytes(of path: String, maximum: Int = .max) throws -> ArraySlice<UInt8> {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError("read", path) }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw FileError("read", path, code: EISDIR) }
    var result: [UInt8] = []
    result.reserveCapacity(min(Int(status.st_size), maximum))
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = read(descriptor, &piece, piece.count)
      if count == 0 { return try text(result, path) }
      if count < 0 && errno != EINTR { throw FileError("read", path) }
      guard count > 0 else { continue }
      // A device of endless zeros is no text before it fills the memory.
      if result.isEmpty || zero(in: piece[..<count]) != nil { _ = try text(result + piece[..<count], path) }
      result.append(contentsOf: piece[..<count])
      guard result.count <= maximum else {
        throw DataError(path, "it has more than \(maximum) bytes, which no such file needs")
      }
    }
  }

  /// The bytes without a byte order mark.
  ///
  /// - Throws: `DataError` where they are UTF-16 or hold a zero byte; `path`, and the lines before, are for the message.
  static func text(_ bytes: [UInt8], _ path: String, firstLine: Int = 0) throws(DataError) -> ArraySlice<UInt8> {
    let marks: [(mark: [UInt8], encoding: String)] = [
      ([0xFF, 0xFE, 0, 0], "UTF-32"), ([0, 0, 0xFE, 0xFF], "UTF-32"), ([0xFF, 0xFE], "UTF-16"),
      ([0xFE, 0xFF], "UTF-16"),
    ]
    if let encoding = marks.first(where: { bytes.starts(with: $0.mark) })?.encoding {
      throw unreadable(path, as: encoding)
    }
    if let zero = zero(in: bytes[...]) {
      if let encoding = wideEncoding(of: bytes.prefix(64)) { throw unreadable(path, as: encoding) }
      let line = firstLine + bytes[..<zero].count { $0 == 10 } + 1
      throw DataError(
        path, line: line, "it holds a zero byte, which no text has",
        remedy: "The file is damaged, no text, or in UTF-16; UTF-8 is needed.")
    }
    return bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
  }

  /// The corresponding C function is `memchr`.
  private static func zero(in bytes: ArraySlice<UInt8>) -> Int? {
    bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return nil }
      return memchr(base, 0, bytes.count).map { UnsafeRawPointer($0) - base }
    }
  }

  /// Without a mark: every other byte of plain letters is zero in UTF-16.
  private static func wideEncoding(of start: ArraySlice<UInt8>) -> String? {
    let zeros = start.indices.filter { start[$0] == 0 }
    guard start.count >= 4, 3 * zeros.count >= start.count else { return nil }
    if zeros.allSatisfy({ $0 % 2 == 1 }) { return "UTF-16LE" }
    return zeros.allSatisfy { $0 % 2 == 0 } ? "UTF-16BE" : nil
  }

  private static func unreadable(_ path: String, as encoding: String) -> DataError {
    let kind = encoding.hasPrefix("UTF-16") ? "UTF-16" : encoding
    return DataError(
      path, "this is \(kind) text, where UTF-8 is needed",
      remedy: "Convert it: iconv -f \(encoding) -t UTF-8 '\(path)' > NEW.")
  }
}
