import CXXHash
package import Files

/// A RecordIO file of labelled images, as MXNet and InsightFace use them: `train.rec`, and what stands beside it.
///
/// The file is mapped, and an image's bytes are handed out where they lie. The tables kept in memory take 24 bytes an image;
/// with a catalog (`RecordCatalog`) they are mapped too, shared by the ranks of a node.
package struct RecordSet: ImageSource {
  package let location: String
  private let file: MappedFile
  private let table: RecordTable
  /// What vouches for the labels.
  package let warrant: Warrant

  package enum Warrant: String, Codable, Sendable {
    /// A digest of every record.
    case catalog
    /// InsightFace's ranges of people.
    case ranges
    case nothing
  }

  /// Reads all headers, or the catalog alone where there is one.
  ///
  /// - Throws: `DataError` naming file and record where the .rec is cut off or damaged, where a label is none, or where
  ///   .idx, `property` or catalog are not its own.
  package init(path: String) throws {
    location = path
    let file = try MappedFile(path: path)
    defer { withExtendedLifetime(file) {} }
    self.file = file
    if FilePath.exists(RecordCatalog.path(of: path)) {
      table = try RecordCatalog.read(of: path, recordBytes: file.bytes.count)
      warrant = .catalog
    } else {
      let scan = try RecordScan(file)
      table = scan.table
      warrant = scan.hasRanges ? .ranges : .nothing
    }
    notes = Self.notes(table, path)
    file.expectRandomReads()
  }

  package var count: Int { table.count }
  /// Whether `identifier(of:)` is an image's own path, not just its record.
  package var hasNames: Bool { table.names != nil }
  package var classNames: [Name] { table.people }
  /// A .rec has label numbers alone; who people are stands in the catalog of one that was packed from named people.
  package var namesPeople: Bool { table.namesPeople }
  package let notes: [String]

  package func label(of sample: Int) -> Int { Int(table.labels[sample]) }
  package func identifier(of sample: Int) -> String { table.name(of: sample) }
  package func encodedSize(of sample: Int) throws -> Int { Int(table.sizes[sample]) }

  package func withEncodedImage<Result>(
    of sample: Int, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try withRecord(of: sample, scratch: scratch) { record in
      if let digests = table.digests, Self.digest(of: record) != digests[sample] {
        throw failure(sample, "its bytes are not those that the catalog knows")
      }
      guard let header = RecordHeader(record), isLabel(header.label, of: sample),
        record.count - header.count == Int(table.sizes[sample])
      else { throw failure(sample, "its header is not what it was when the set was opened") }
      return try body(UnsafeRawBufferPointer(rebasing: record[header.count...]))
    }
  }

  /// Whether the label in a record's header is the one found when the set was opened.
  private func isLabel(_ label: Float, of sample: Int) -> Bool {
    guard let numbers = table.numbers else { return true }
    return label == Float(numbers[Int(table.labels[sample])])
  }

  private static func notes(_ table: RecordTable, _ path: String) -> [String] {
    guard !table.namesPeople, !table.areCalledByLabel, let first = table.people.first, let last = table.people.last
    else { return [] }
    return [
      "\(path.printableName): its \(table.people.count.grouped) people have the numbers \(first) to \(last), not 0, 1, 2 ...: "
        + "classes are numbered anew in their order, and the numbers stay the people's names"
    ]
  }

  /// Writes the catalog, with the digests of the records as they are now.
  package func writeCatalog() throws {
    let scratch = ByteBuffer()
    var table = table
    table.digests = Column(
      try (0..<count).map { sample in try withRecord(of: sample, scratch: scratch, Self.digest) })
    try RecordCatalog.write(table, recordBytes: file.bytes.count, to: RecordCatalog.path(of: location))
  }

  /// XXH3 with 64 bits. The corresponding C function is `XXH3_64bits`.
  static func digest(of record: UnsafeRawBufferPointer) -> UInt64 { XXH3_64bits(record.baseAddress, record.count) }

  private func withRecord<Result>(
    of sample: Int, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    let span = try RecordIO.span(at: Int(table.offsets[sample]), in: file.bytes, path: location)
    return try RecordIO.withBytes(of: span, in: file.bytes, scratch: scratch, body)
  }

  private func failure(_ sample: Int, _ reason: String) -> DataError {
    DataError("\(location)/\(identifier(of: sample))", reason, remedy: "The file has been damaged or changed.")
  }
}
