import Files
import Foundation
package import Weights

/// How embeddings are written, by the ending of the file's name.
package enum EmbeddingFormat: String, CaseIterable, Sendable {
  /// NumPy's array (N, K) of float32, and beside it the names, a line each: `faces.npy`, `faces.names.txt`.
  case npy
  /// `embeddings` (N, K) float32, `names`, UTF-8 bytes, a line each, and as metadata how the rows were made.
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

  /// Keys of the metadata of a .safetensors: the flip test's name, and "true" or "false".
  package static let flipKey = "flip"
  package static let normalizeKey = "normalize"

  /// Writes N = names.count rows of K = `width`, which come part after part, and returns the paths of the files.
  ///
  /// - Parameters:
  ///   - flip: what stands for an image: its embedding, or what was made of both; said in a .safetensors.
  ///   - isNormalized: whether rows have length 1; said there too.
  /// - Throws: `FileError`, or what `part` throws.
  package func write(
    names: [String], width: Int, flip: FlipTest, isNormalized: Bool, to path: String, parts: Range<Int>,
    part: (Int) throws -> [Float]
  ) throws -> [String] {
    switch self {
    case .npy:
      let namesPath = namesPath(for: path)!
      // Both are whole before one gets its name: a full disk leaves the former pair.
      let namesFile = try AtomicFile(path: namesPath)
      try Array(names.map { $0 + "\n" }.joined().utf8).withUnsafeBytes { try namesFile.write($0) }
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
            try Array("\(CSV.field(names[row]))\(numbers)\n".utf8).withUnsafeBytes(add)
            row += 1
          }
        }
      }
    case .safetensors:
      var all: [Float] = []
      all.reserveCapacity(names.count * width)
      for index in parts { all += try part(index) }
      let text = Array(names.map { $0 + "\n" }.joined().utf8)
      var writer = SafetensorsWriter(metadata: [
        Self.flipKey: flip.rawValue, Self.normalizeKey: "\(isNormalized)",
      ])
      writer.add("embeddings", shape: [names.count, width], all)
      writer.add("names", shape: [text.count], text)
      try writer.write(to: path)
    }
    return [path]
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
