package import Files
import Foundation
package import Weights

/// How embeddings are written, by the ending of the file's name.
package enum EmbeddingFormat: String, CaseIterable, Sendable {
  /// NumPy's array (N, K) of float32, and beside it the names, a line each: `faces.npy`, `faces.names.txt`.
  case npy
  /// `embeddings` (N, K) float32, `names`, UTF-8 bytes, a line each, `people`, the same, where they are not the folders
  /// of the names, `sizes` (N) int64, the bytes of the images' files, and as metadata how the rows were made.
  case safetensors
  /// A header, then a name and K numbers a line.
  case csv

  /// - Throws: `ExportError` for any other ending.
  package init(path: String) throws(ExportError) {
    let ending = FilePath.ending(of: path) ?? ""
    guard let format = EmbeddingFormat(rawValue: ending) else {
      let known = Self.allCases.map { ".\($0.rawValue)" }.joined(separator: ", ")
      throw ExportError(path, "embeddings are written to files that end in \(known)")
    }
    self = format
  }

  /// Where the names stand; nil where they stand in the same file.
  package func namesPath(for path: String) -> String? {
    self == .npy ? FilePath.withoutEnding(path) + ".names.txt" : nil
  }

  /// Writes N = names.count rows of K = `width`, which come part after part, and returns the paths of the files.
  ///
  /// - Parameters:
  ///   - people: whom each row shows, kept in a .safetensors; nil where the folders of the names say it.
  ///   - sizes: of the images' files, kept there too: by them others are told. nil where nobody knows.
  ///   - origin: how the rows were made; said there too.
  /// - Throws: `FileError`, or what `part` throws.
  package func write(
    names: [Name], people: [Name]? = nil, sizes: [Int]? = nil, width: Int, origin: EmbeddingOrigin, to path: String,
    parts: Range<Int>, part: @escaping (Int) throws -> [Float]
  ) throws -> [String] {
    switch self {
    case .npy:
      let namesPath = namesPath(for: path)!
      // Both are whole before one gets its name: a full disk leaves the former pair.
      let namesFile = try AtomicFile(path: namesPath)
      try Self.lines(names).withUnsafeBytes { try namesFile.write($0) }
      try stream(to: path) { add in
        try Self.header(rows: names.count, width: width).withUnsafeBytes(add)
        for index in parts { try part(index).withUnsafeBytes(add) }
      }
      try namesFile.commit()
      return [path, namesPath]
    case .csv:
      try stream(to: path) { add in
        let header = "name," + (0..<width).map { "e\($0)" }.joined(separator: ",") + "\n"
        try Array(header.utf8).withUnsafeBytes(add)
        var row = 0
        for index in parts {
          let values = try part(index)
          for start in stride(from: 0, to: values.count, by: width) {
            let numbers = values[start..<(start + width)].map { ",\($0)" }.joined()
            try Array("\(CSV.field(names[row].text))\(numbers)\n".utf8).withUnsafeBytes(add)
            row += 1
          }
        }
      }
    case .safetensors:
      var writer = SafetensorsWriter(metadata: origin.metadata)
      writer.add(EmbeddingFile.rowsName, Float.self, shape: [names.count, width]) { write in
        for index in parts { try part(index).withUnsafeBytes(write) }
      }
      var columns = [(EmbeddingFile.namesName, names)]
      if let people, zip(names, people).contains(where: { EmbeddingFile.folder(of: $0) != $1 }) {
        columns.append((EmbeddingFile.peopleName, people))
      }
      for (name, lines) in columns {
        let text = Self.lines(lines)
        writer.add(name, shape: [text.count], text)
      }
      if let sizes { writer.add(EmbeddingFile.sizesName, shape: [sizes.count], sizes.map(Int64.init)) }
      try writer.write(to: path)
    }
    return [path]
  }

  private static func lines(_ names: [Name]) -> [UInt8] {
    var bytes: [UInt8] = []
    for name in names {
      bytes += name.text.utf8
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }

  private func stream(
    to path: String, _ body: (_ add: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let file = try AtomicFile(path: path)
    try body { try file.write($0) }
    try file.commit()
  }

  /// Version 1.0 of the format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
  private static func header(rows: Int, width: Int) -> [UInt8] {
    var text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(width)), }"
    // Data starts at a multiple of 64 bytes; 10 come before the text, and a line's end closes it.
    text += String(repeating: " ", count: (64 - (10 + text.utf8.count + 1) % 64) % 64) + "\n"
    let length = UInt16(text.utf8.count)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
  }
}
