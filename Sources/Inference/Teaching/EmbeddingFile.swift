import Files

/// A .safetensors file of `cosface embed`, opened and checked.
struct EmbeddingFile {
  /// Values of the widest row that a network gives, both looks together.
  private static let widths = 1...65536

  let path: String
  let names: [Name]
  /// 2 where a row is the embedding of the image and behind it that of its mirror image.
  let looks: Int
  /// Of one look.
  let width: Int

  private let file: SafetensorsFile
  private static let rowsName = "embeddings"
  private static let namesName = "names"

  /// Checks shapes, names and metadata; the rows stay on the disk.
  ///
  /// - Throws: `DataError`; `SafetensorsError` or `FileError` where the file cannot be read.
  init(path: String) throws {
    self.path = path
    file = try SafetensorsFile(path: path)
    guard file.contains(Self.rowsName), file.contains(Self.namesName) else {
      throw Self.failure(path, "it does not hold the embeddings and names that 'cosface embed' writes")
    }
    guard let text = file.metadata[EmbeddingFormat.flipKey] else {
      throw Self.failure(path, "it does not say what its rows were made of, as files of former versions do not")
    }
    guard let flip = FlipTest(rawValue: text) else {
      throw Self.failure(
        path, "its rows were made by the flip test '\(text.printableName.prefix(80))', which is unknown")
    }
    looks = flip == .concatenate ? 2 : 1
    let (shape, type) = (try file.shape(of: Self.rowsName), try file.type(of: Self.rowsName))
    guard type == .float32, shape.count == 2, Self.widths.contains(shape[1]), shape[1] % looks == 0 else {
      throw Self.failure(
        path,
        "its embeddings are \(type.rawValue) of shape \(shape), but rows of 1 to \(Self.widths.upperBound) F32 values "
          + "are needed" + (looks == 2 ? ", an even number for both looks" : ""))
    }
    width = shape[1] / looks
    guard try file.type(of: Self.namesName) == .uint8 else {
      throw Self.failure(path, "its names are no bytes")
    }
    names = try file.withBytes(of: Self.namesName) { bytes in
      bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast().map {
        Name(String(decoding: $0, as: UTF8.self))
      }
    }
    guard names.count == shape[0], shape[0] > 0 else {
      throw Self.failure(path, "it has \(names.count.grouped) names for \(shape[0].grouped) rows")
    }
  }

  /// For messages.
  var shape: String { looks == 2 ? "2 x \(width) wide" : "\(width) wide" }

  /// Calls `body` with the rows (names.count, looks, width) of Floats, which need not be aligned.
  func withRows<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    try file.withBytes(of: Self.rowsName, body)
  }

  /// Whether two rows are the same bytes; `other` is as wide.
  func isSame(_ row: Int, as otherRow: Int, of other: EmbeddingFile) throws -> Bool {
    let count = looks * width * MemoryLayout<Float>.size
    return try withRows { rows in
      try other.withRows { otherRows in
        rows[(row * count)..<((row + 1) * count)].elementsEqual(
          otherRows[(otherRow * count)..<((otherRow + 1) * count)])
      }
    }
  }

  private static func failure(_ path: String, _ reason: String) -> DataError {
    DataError(
      path, reason,
      remedy: "Embed again: 'cosface embed --model TEACHER --data DATA --output X.safetensors --flip concatenate'.")
  }
}
