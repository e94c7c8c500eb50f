import Files

/// The catalog beside a .rec, `X.rec.catalog`: what stands where, people's and images' names, and a digest of each record.
///
/// RecordIO has no checksum, so that a flipped bit makes another label or picture; with a catalog every record that is read
/// is compared with its digest. It also makes opening fast: the .rec itself is not touched, nor its .idx needed. It is a
/// safetensors file:
///
/// | tensor | what |
/// |---|---|
/// | offsets, keys (n) I64 | where the records of the images begin, and their keys |
/// | labels, sizes (n) I32 | people, and bytes of the images |
/// | digests (n) I64 | XXH3, 64 bits, of header and image |
/// | people U8 | the name of each label, ended by a zero |
/// | names U8, nameStarts (n) I64 | the images' paths, each ended by a zero; optional |
///
/// `people` in the metadata is "numbers" where the people's names are no names, but numbers with gaps.
enum RecordCatalog {
  static func path(of record: String) -> String { record + ".catalog" }

  private static let format = "cosface record catalog 1"
  private static let numbers = "numbers"

  /// Reads the catalog of a .rec of `size` bytes.
  ///
  /// - Throws: `DataError` of the catalog where it is damaged, and of the .rec where that is not the one it was made of.
  static func read(of record: String, recordBytes size: Int) throws -> RecordTable {
    let path = path(of: record)
    do {
      let file = try SafetensorsFile(path: path)
      let people = (try column("people", .uint8, of: file) as Column<UInt8>).names()
      let hasNames = file.contains("names")
      var table = RecordTable(
        offsets: try column("offsets", .int64, of: file), labels: try column("labels", .int32, of: file),
        sizes: try column("sizes", .int32, of: file), keys: try column("keys", .int64, of: file),
        people: people, namesPeople: file.metadata["people"] != numbers,
        digests: try column("digests", .int64, of: file),
        names: hasNames
          ? NameColumn(
            try column("names", .uint8, of: file), starts: try column("nameStarts", .int64, of: file)) : nil)
      // The digest covers the size too: a catalog that is whole tells the truth of it.
      guard hasNames == (table.names != nil), file.metadata["format"] == format,
        let claim = file.metadata["bytes"].flatMap({ Int($0) }),
        file.metadata["digest"] == "\(digest(of: table, recordBytes: claim))"
      else { throw DataError(path, "it is damaged", remedy: remedy) }
      guard claim == size else {
        throw DataError(
          record, "it has \(size) bytes, but its catalog, \(path.printableName), which is whole, is of \(claim)",
          remedy: "The .rec was \(size < claim ? "cut off" : "changed") or replaced: copy it again from where it came. "
            + "Only where it is meant to be another one take the catalog away, and seal it with "
            + "'cosface dataset check --seal'.")
      }
      try check(table, path)
      // Of numbers without gaps no catalog says what they are.
      if table.areCalledByLabel { table.namesPeople = false }
      return table
    } catch let error as SafetensorsError {
      throw DataError(path, "\(error)", remedy: remedy)
    }
  }

  private static let remedy = "Take it away: a .rec can be read without, but nothing then vouches for its labels."

  private static func column<Element: BitwiseCopyable>(
    _ name: String, _ type: TensorType, of file: SafetensorsFile
  ) throws -> Column<Element> {
    guard try file.type(of: name) == type, try file.shape(of: name).count == 1 else {
      throw SafetensorsError(path: file.path, tensor: name, reason: "not a list of \(type.rawValue)")
    }
    return try Column(name, of: file)
  }

  /// What a forger could write: the digest holds, but no such .rec can be.
  private static func check(_ table: RecordTable, _ path: String) throws(DataError) {
    let count = table.count
    let counts = [table.labels.count, table.sizes.count, table.keys.count, table.digests?.count, table.names?.count]
    guard count > 0, counts.allSatisfy({ $0 == nil || $0 == count }) else {
      throw DataError(path, "its columns are of \(count) records and of \(counts.compactMap(\.self))", remedy: remedy)
    }
    let classes = table.people.count
    var known = [Bool](repeating: false, count: classes)
    for sample in 0..<count {
      guard (0..<classes).contains(Int(table.labels[sample])), table.sizes[sample] >= 0 else {
        throw DataError(
          path, "record \(table.keys[sample]) has label \(table.labels[sample]) and \(table.sizes[sample]) bytes",
          remedy: remedy)
      }
      known[Int(table.labels[sample])] = true
    }
    guard Set(table.people).count == classes else {
      throw DataError(path, "it names two people alike among its \(classes)", remedy: remedy)
    }
    if let gap = known.firstIndex(of: false) { throw DataError(path, "no image has the label \(gap)", remedy: remedy) }
  }

  /// Writes the catalog of a .rec of `size` bytes. The table must have digests.
  static func write(_ table: RecordTable, recordBytes size: Int, to path: String) throws {
    guard let digests = table.digests else { preconditionFailure("A catalog without digests") }
    var table = table
    // So that such a catalog stays what it was before there were others.
    if table.areCalledByLabel { table.namesPeople = true }
    var metadata = [
      "format": format, "bytes": "\(size)", "digest": "\(digest(of: table, recordBytes: size))",
    ]
    if !table.namesPeople { metadata["people"] = numbers }
    var writer = SafetensorsWriter(metadata: metadata)
    let count = table.count
    writer.add("offsets", shape: [count], (0..<count).map { table.offsets[$0] })
    writer.add("keys", shape: [count], (0..<count).map { table.keys[$0] })
    writer.add("digests", shape: [count], (0..<count).map { Int64(bitPattern: digests[$0]) })
    writer.add("labels", shape: [count], (0..<count).map { table.labels[$0] })
    writer.add("sizes", shape: [count], (0..<count).map { table.sizes[$0] })
    let people = NameColumn(table.people.lazy.map(\.text)).columns.bytes
    writer.add("people", shape: [people.count], people.withBytes { [UInt8]($0) })
    if let (names, starts) = table.names?.columns {
      writer.add("names", shape: [names.count], names.withBytes { [UInt8]($0) })
      writer.add("nameStarts", shape: [count], (0..<count).map { starts[$0] })
    }
    try writer.write(to: path)
  }

  private static func digest(of table: RecordTable, recordBytes size: Int) -> Digest {
    var stream = DigestStream()
    withUnsafeBytes(of: Int64(size).littleEndian) { stream.update($0) }
    table.offsets.withBytes { stream.update($0) }
    table.keys.withBytes { stream.update($0) }
    table.labels.withBytes { stream.update($0) }
    table.sizes.withBytes { stream.update($0) }
    table.digests?.withBytes { stream.update($0) }
    NameColumn(table.people.lazy.map(\.text)).columns.bytes.withBytes { stream.update($0) }
    if let (names, starts) = table.names?.columns {
      names.withBytes { stream.update($0) }
      starts.withBytes { stream.update($0) }
    }
    if !table.namesPeople { Array(numbers.utf8).withUnsafeBytes { stream.update($0) } }
    return stream.digest
  }
}

extension Column<UInt8> {
  /// The names in a column of bytes; what follows the last zero counts as one too.
  fileprivate func names() -> [Name] {
    withBytes { bytes in
      bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast(bytes.last == 0 ? 1 : 0)
        .map { Name(String(decoding: $0, as: UTF8.self)) }
    }
  }
}
