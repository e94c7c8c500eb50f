package import Datasets
import Files
import VectorKernels

/// Embeddings that `cosface embed` wrote to .safetensors files, in place of a network: rows are found by the images' names.
///
/// The images themselves are not read, and need not exist.
package struct StoredEmbeddings: Sendable {
  private let files: [EmbeddingFile]
  /// How the rows of all files were made.
  package let origin: EmbeddingOrigin
  /// Values of a row: of both looks, where there are two.
  package let rowWidth: Int
  /// Values of one look.
  package var width: Int { files[0].width }
  package var paths: [String] { files.map(\.path) }

  /// Bytes of a file's rows after which their pages are given back: they would count as this process's memory.
  private static let heldBytes = 8 << 20
  /// The most that the kernel maps with a page that is asked for: a huge page, where the file's cache has such.
  private static let mappedTogether = 2 << 20

  /// - Throws: `DataError` where a file is not what `embed` writes now, or its rows were made otherwise than those of the first
  ///   one; `SafetensorsError` or `FileError` where it cannot be read.
  package init(_ paths: [String]) throws {
    precondition(!paths.isEmpty, "Embeddings of no file")
    files = try paths.map(EmbeddingFile.init)
    (origin, rowWidth) = (files[0].origin, files[0].rowWidth)
    for file in files.dropFirst() {
      guard let difference = Self.difference(of: file, from: files[0]) else { continue }
      throw DataError(
        file.path, difference,
        remedy: "Embed all images by the same model, with the same --flip and --normalize.")
    }
  }

  private static func difference(of file: EmbeddingFile, from first: EmbeddingFile) -> String? {
    let (name, origin, other) = (first.path.printableName, file.origin, first.origin)
    if origin.flip != other.flip {
      return
        "its rows were made with --flip \(origin.flip.rawValue), those of \(name) with --flip \(other.flip.rawValue)"
    }
    if file.rowWidth != first.rowWidth { return "its rows are \(file.shape), those of \(name) \(first.shape)" }
    if origin.weights != other.weights { return "its rows were made by other weights than those of \(name)" }
    if origin.isNormalized != other.isNormalized {
      let words = [origin, other].map { $0.isNormalized ? "with" : "without" }
      return "its rows were made \(words[0]) --normalize, those of \(name) \(words[1])"
    }
    return nil
  }

  /// Two ranks share it where they see files of the same names, made in the same way.
  package var fingerprint: String {
    var stream = DigestStream()
    for file in files {
      let text = "\(file.names.count) \(file.rowWidth) \(file.origin)"
      Array(text.utf8).withUnsafeBytes { stream.update($0) }
      // With their lines' ends.
      for line in 0..<file.names.count {
        file.names.withBytes(of: line) { stream.update($0) }
        withUnsafeBytes(of: UInt8(0)) { stream.update($0) }
      }
      file.releasePages()
    }
    return "\(stream.digest)"
  }

  /// The embeddings of `samples` (distinct; all of the source's unless given), each on one rank alone, in equal shares: what
  /// `Embedder.divide` gives, without a network. A rank reads the rows of its share. Every rank calls it.
  ///
  /// What a file has of both looks is one vector: the embedding of the image and behind it that of its mirror image.
  ///
  /// - Parameter note: is called with what is worth knowing, in sentences without a full stop.
  /// - Throws: the same on every rank: `DataError` where an image has no row, or a name has two that differ;
  ///   `EvaluationError` for a row without a direction.
  package func divide(
    _ source: any ImageSource, samples: [Int]? = nil, _ group: any EmbeddingGroup, note: (String) -> Void = { _ in }
  ) throws -> DividedTable {
    let samples = samples?.sorted() ?? Array(0..<source.count)
    let own = Array(samples[Share.range(of: samples.count, group.rank, group.size)])
    let match = try RowMatch(files, source, samples: own, group)
    for file in files { file.releasePages() }
    match.notes.forEach(note)
    let (table, failure) = try read(match, own, of: source)
    try group.agree(failure)
    return try DividedTable(table, samples: samples, of: source.count, badImages: [], group)
  }

  /// The same on one process, all rows.
  package func table(of source: any ImageSource) throws -> EmbeddingTable {
    try divide(source, SingleProcess()).own
  }

  private func read(
    _ match: RowMatch, _ samples: [Int], of source: any ImageSource
  ) throws -> (EmbeddingTable, EvaluationError?) {
    let hasLooks = files[0].looks == 2
    var table = EmbeddingTable(
      capacity: samples.count, combination: hasLooks ? .concatenate : .none, width: width)
    var failure: EvaluationError?
    // Rows of a file need not be aligned.
    let scratch = AlignedMemory(count: rowWidth)
    let row = UnsafeBufferPointer(rebasing: scratch.elements[..<rowWidth])
    let bytes = rowWidth * MemoryLayout<Float>.size
    var (read, last) = (0, -1)
    for (sample, place) in zip(samples, match.places) where failure == nil {
      try files[place.file].withRows { rows in
        UnsafeMutableRawPointer(scratch.elements.baseAddress!)
          .copyMemory(from: rows.baseAddress! + place.row * bytes, byteCount: bytes)
      }
      do throws(EvaluationError) {
        try table.append(
          .init(rebasing: row[..<width]), hasLooks ? .init(rebasing: row[width...]) : nil
        ) { source.identifier(of: sample).printableName }
      } catch {
        failure = error
      }
      Heartbeat.beat()
      read += place.row == last + 1 ? bytes : max(bytes, Self.mappedTogether)
      last = place.row
      guard read >= Self.heldBytes else { continue }
      read = 0
      for file in files { file.releasePages() }
    }
    for file in files { file.releasePages() }
    withExtendedLifetime(scratch) {}
    return (table, failure)
  }
}
