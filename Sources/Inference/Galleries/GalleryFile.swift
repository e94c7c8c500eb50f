package import Files

/// A file of embeddings of which each row shows a known person.
package struct GalleryFile: Sendable {
  package let rows: EmbeddingFile
  /// By name.
  package let people: [Name]
  /// Of each row, its person's number.
  package let labels: [Int]

  /// Rows that are copied at a time.
  private static let pieceSize = 4096

  /// - Throws: `DataError`, also for a row that shows nobody; `SafetensorsError` or `FileError`.
  package init(path: String) throws {
    rows = try EmbeddingFile(path: path)
    guard rows.names.count <= Int(Int32.max) else {
      throw DataError(path, "\(rows.names.count.grouped) rows are more than \(Int32.max)")
    }
    let shown = try rows.people()
    if let row = shown.firstIndex(where: \.text.isEmpty) {
      throw DataError(
        path, "the row '\(rows.names[row].text.printableName)' does not say whom it shows",
        remedy: "Embed images in a folder for each person, PERSON/IMAGE, a list 'path person', or a .rec.")
    }
    let people = Set(shown).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: zip(people, 0...))
    labels = shown.map { numbers[$0]! }
    self.people = people
  }

  /// Whether a path is that of such a file, and not of a set of images.
  package static func isNamed(by path: String) -> Bool { FilePath.hasEnding(".safetensors", path) }

  /// Images of each person.
  package var imageCounts: [Int] {
    labels.reduce(into: [Int](repeating: 0, count: people.count)) { $0[$1] += 1 }
  }

  /// Rows of another origin that are to be among those of a file.
  package struct NewRows {
    package var names: [Name] = []
    package var people: [Name] = []
    /// Bytes of the images' files.
    package var sizes: [Int] = []
    /// (names.count, K)
    package var values: [Float] = []
  }

  /// Replaces the file by one with `new` rows among its own, all sorted by their names as `embed` writes those of a folder.
  /// The bytes of the others stay.
  ///
  /// - Throws: `FileError`
  package func add(_ new: NewRows) throws {
    let shown = labels.map { people[$0] } + new.people
    let names = Array(rows.names) + new.names
    let order = names.indices.sorted { names[$0] < names[$1] }
    try write(order, names: names, people: shown, sizes: rows.imageSizes().map { $0 + new.sizes }, new.values)
  }

  /// Replaces the file by one without the rows of some people, and says how many these were.
  ///
  /// - Throws: `DataError` where somebody is not in it, or nobody would be left; `FileError`.
  package func remove(_ names: [Name]) throws -> Int {
    let gone = Set(names)
    let known = Set(people)
    if let unknown = names.first(where: { !known.contains($0) }) {
      throw DataError(
        rows.path, "nobody in it is called '\(unknown.text.printableName)'",
        remedy: "'cosface gallery list --gallery \(rows.path.printableName)' names its people.")
    }
    let kept = labels.indices.filter { !gone.contains(people[labels[$0]]) }
    guard !kept.isEmpty else {
      throw DataError(rows.path, "nobody would be left in it", remedy: "Delete the file, if that is meant.")
    }
    try write(kept, names: Array(rows.names), people: labels.map { people[$0] }, sizes: rows.imageSizes(), [])
    return labels.count - kept.count
  }

  /// `order` names rows of the file, and beyond them those of `new`.
  private func write(_ order: [Int], names: [Name], people: [Name], sizes: [Int]?, _ new: [Float]) throws {
    let (width, own) = (rows.rowWidth, rows.names.count)
    let pieces = (order.count + Self.pieceSize - 1) / Self.pieceSize
    _ = try EmbeddingFormat.safetensors.write(
      names: order.map { names[$0] }, people: order.map { people[$0] },
      sizes: sizes.map { all in order.map { all[$0] } },
      width: width, origin: rows.origin, to: rows.path, parts: 0..<pieces
    ) { piece in
      let some = order[(piece * Self.pieceSize)..<min((piece + 1) * Self.pieceSize, order.count)]
      return try rows.withRows { bytes in
        [Float](unsafeUninitializedCapacity: some.count * width) { output, count in
          let target = UnsafeMutableRawBufferPointer(output)
          let size = width * MemoryLayout<Float>.size
          new.withUnsafeBytes { new in
            for (place, row) in some.enumerated() {
              let (source, number) = row < own ? (bytes, row) : (new, row - own)
              let values = UnsafeRawBufferPointer(rebasing: source[(number * size)..<((number + 1) * size)])
              UnsafeMutableRawBufferPointer(rebasing: target[(place * size)...]).copyMemory(from: values)
            }
          }
          count = some.count * width
        }
      }
    }
  }
}
