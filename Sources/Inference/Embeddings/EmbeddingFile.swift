import Datasets
package import Files

/// A .safetensors file of `cosface embed`, opened and checked.
package final class EmbeddingFile: Sendable {
  package let path: String
  package let names: LineColumn
  package let origin: EmbeddingOrigin
  /// Of a row: of both looks, where there are two.
  package let rowWidth: Int

  private let file: SafetensorsFile
  static let rowsName = "embeddings"
  static let namesName = "names"
  static let peopleName = "people"
  static let sizesName = "sizes"
  /// Values of the widest row that a network gives, both looks together.
  private static let widths = 1...65536

  /// Checks shapes, names and metadata; the rows stay on the disk.
  ///
  /// - Throws: `DataError`; `SafetensorsError` or `FileError` where the file cannot be read.
  package init(path: String) throws {
    self.path = path
    file = try SafetensorsFile(path: path)
    guard file.contains(Self.rowsName), file.contains(Self.namesName) else {
      throw Self.failure(path, "it does not hold the embeddings and names that 'cosface embed' writes")
    }
    origin = try EmbeddingOrigin(of: file)
    let looks = origin.flip == .concatenate ? 2 : 1
    let (shape, type) = (try file.shape(of: Self.rowsName), try file.type(of: Self.rowsName))
    guard type == .float32, shape.count == 2, Self.widths.contains(shape[1]), shape[1] % looks == 0 else {
      throw Self.failure(
        path,
        "its embeddings are \(type.rawValue) of shape \(shape), but rows of 1 to \(Self.widths.upperBound) F32 values "
          + "are needed" + (looks == 2 ? ", an even number for both looks" : ""))
    }
    rowWidth = shape[1]
    names = try Self.lines(of: Self.namesName, file)
    guard names.count == shape[0], shape[0] > 0 else {
      throw Self.failure(path, "it has \(names.count.grouped) names for \(shape[0].grouped) rows")
    }
    guard file.contains(Self.sizesName) else { return }
    let (sizes, sizeType) = (try file.shape(of: Self.sizesName), try file.type(of: Self.sizesName))
    guard sizeType == .int64, sizes == [names.count] else {
      throw Self.failure(
        path, "its sizes are \(sizeType.rawValue) of shape \(sizes), for \(names.count.counted("row"))")
    }
  }

  /// Bytes of the image file that each row was made of; nil in files of versions that did not tell.
  func imageSizes() throws -> [Int]? {
    guard file.contains(Self.sizesName) else { return nil }
    return try names.indices.map(imageSize)
  }

  private func imageSize(ofRow row: Int) throws -> Int {
    try file.withBytes(of: Self.sizesName) { bytes in
      Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: row * MemoryLayout<Int64>.size, as: Int64.self)))
    }
  }

  /// How an image's file differs from the one that a row was made of; nil where it does not, is not there, or nothing tells.
  func change(ofRow row: Int, _ source: any ImageSource, _ sample: Int) throws -> ImageChange? {
    guard file.contains(Self.sizesName), let bytes = try? source.encodedSize(of: sample) else { return nil }
    let embedded = try imageSize(ofRow: row)
    return bytes == embedded ? nil : ImageChange(sample: sample, bytes: bytes, embeddedBytes: embedded)
  }

  /// 2 where a row is the embedding of the image and behind it that of its mirror image.
  var looks: Int { origin.flip == .concatenate ? 2 : 1 }
  /// Of one look.
  var width: Int { rowWidth / looks }

  /// Whom each row shows: as the file says, else the folder part of its name; an empty name where there is none.
  ///
  /// - Throws: `DataError`, `SafetensorsError`
  package func people() throws -> [Name] {
    guard file.contains(Self.peopleName) else { return names.map(Self.folder) }
    let people = try Self.lines(of: Self.peopleName, file)
    guard people.count == names.count else {
      throw Self.failure(path, "it names \(people.count.grouped) people for \(names.count.counted("row"))")
    }
    return Array(people)
  }

  /// All but the last part of an image's name: `PERSON` of `PERSON/IMAGE`.
  package static func folder(of name: Name) -> Name {
    let bytes = name.text.utf8
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "" }
    return Name(Substring(bytes[..<slash]))
  }

  private static func lines(of name: String, _ file: SafetensorsFile) throws -> LineColumn {
    guard try file.type(of: name) == .uint8 else { throw failure(file.path, "its \(name) are no bytes") }
    return try LineColumn(name, of: file)
  }

  /// For messages.
  var shape: String { looks == 2 ? "2 x \(width) wide" : "\(width) wide" }

  /// Calls `body` with the rows (names.count, looks, width) of Floats, which need not be aligned.
  package func withRows<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    try file.withBytes(of: Self.rowsName, body)
  }

  /// Gives the memory of the rows and names that were read back to the system.
  func releasePages() { file.releasePages() }

  /// The rows in memory, ready to be compared.
  ///
  /// - Throws: `EvaluationError` that names the row which is zero or not finite.
  package func table() throws -> EmbeddingTable {
    try EmbeddingTable(file.floats(of: Self.rowsName), width: rowWidth) { names[$0].text.printableName }
  }

  /// Whether two rows are the same bytes; `other` is as wide.
  func isSame(_ row: Int, as otherRow: Int, of other: EmbeddingFile) throws -> Bool {
    let count = rowWidth * MemoryLayout<Float>.size
    return try withRows { rows in
      try other.withRows { otherRows in
        rows[(row * count)..<((row + 1) * count)].elementsEqual(
          otherRows[(otherRow * count)..<((otherRow + 1) * count)])
      }
    }
  }

  static func failure(_ path: String, _ reason: String) -> DataError {
    DataError(
      path, reason,
      remedy: "Embed again: 'cosface embed --model MODEL --data IMAGES --output X.safetensors', for a teacher with "
        + "'--flip concatenate'.")
  }
}

/// An image whose file is not the one that was embedded under its name, as the sizes of both tell.
struct ImageChange: Codable {
  let sample: Int
  let bytes: Int
  let embeddedBytes: Int
}
