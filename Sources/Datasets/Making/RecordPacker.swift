import Files
import Foundation

/// Packs labelled images into RecordIO, as MXNet's and InsightFace's programs read it: `X.rec`, `X.idx` and `property`, and
/// the catalog (`RecordCatalog`) beside them.
///
/// The bytes depend on the images and the reencoding alone, not on threads, time, or whether the work was interrupted. The
/// .rec gets its name last; until then it is `X.rec.partial`, with a journal from which the next start goes on. One packing
/// at a time works in a folder.
package struct RecordPacker {
  package let source: any ImageSource
  package let output: String
  package let reencoding: ImageReencoding
  package var workers = 1
  /// Leave images out that cannot be read, instead of ending.
  package var skipsUnreadable = false
  /// Bytes after which what is done becomes durable.
  package var journalInterval = 16 << 20

  package struct Summary: Codable, Equatable, Sendable {
    package let images: Int
    package let people: Int
    package let bytes: Int
    package let skipped: [BadImage]
  }

  private var partial: String { output + ".partial" }
  private var journalPath: String { partial + ".json" }

  package init(_ source: any ImageSource, output: String, reencoding: ImageReencoding) {
    self.source = source
    self.output = output
    self.reencoding = reencoding
  }

  /// - Parameter progress: called with the images done so far.
  /// - Throws: `DataError` where the output exists or is being written, an image cannot be read, or nothing of a person is
  ///   left; `FileError`.
  package func run(progress: (Int) -> Void = { _ in }) throws -> Summary {
    let folder = try outputFolder()
    let lock = try FileLock("\(folder)/.pack.lock", isRemoved: true) {
      DataError(
        folder, "another packing writes into this folder: \($0)", remedy: "Wait for it to end, or give another folder.")
    }
    defer { withExtendedLifetime(lock) {} }
    try checkOutput(folder)
    let samples = try orderByPerson()
    let inventory = try source.inventory()
    // Now, not after hours of work.
    if !skipsUnreadable, let first = inventory.absent.first {
      throw DataError(
        source.path(of: first.sample),
        first.reason
          + (inventory.absent.count > 1 ? ", and so it is with \(inventory.absent.count - 1) other images" : ""),
        remedy: "Mend or remove it, or leave such images out with --skip-unreadable.")
    }
    var journal = PackingJournal(
      images: inventory.fingerprint, reencoding: reencoding,
      hasRanges: RecordFileWriter.canHaveRanges(images: samples.count, people: source.classNames.count))
    let writer = try open(&journal)
    var nextJournal = writer.size + journalInterval
    let (source, reencoding) = (self.source, self.reencoding)
    try OrderedWork.run(journal.done..<samples.count, workers: workers) {
      let worker = ImageReencoding.Worker(reencoding)
      return { place in
        Result { try worker.encode(Int(samples[place]), of: source) }
      }
    } consume: { place, result in
      let sample = Int(samples[place])
      do {
        let image = try result.get()
        if journal.width == 0 { (journal.width, journal.height) = (image.width, image.height) }
        try writer.append(image: image.bytes, label: Int32(source.label(of: sample)))
      } catch let error as DataError where skipsUnreadable {
        journal.skipped.append(
          BadImage(sample: sample, identifier: source.identifier(of: sample), reason: error.reason))
      }
      journal.done = place + 1
      if writer.size >= nextJournal {
        try save(&journal, writer)
        nextJournal = writer.size + journalInterval
      }
      progress(journal.done)
    }
    return try finish(journal, writer, samples)
  }

  /// An image's path as the catalog has it: a list may climb out of its folder, but no name may when it is unpacked.
  private static func name(_ identifier: String) -> String {
    guard FilePath.climbs(identifier) else { return identifier }
    return FilePath.parts(identifier).filter { $0 != ".." }.joined(separator: "/")
  }

  private func outputFolder() throws(DataError) -> String {
    // Images are stored as RecordIO: the ending tells so wherever the file goes.
    guard FilePath.hasEnding(".rec", output) else { throw DataError(output, "the name must end in .rec") }
    let folder = FilePath.split(output).folder
    guard FilePath.kind(folder) == .folder else {
      throw DataError(folder, "there is no such folder", remedy: "Make it first: mkdir -p \(folder.printableName)")
    }
    return folder
  }

  /// Under the lock: who waited for another's packing finds its files.
  private func checkOutput(_ folder: String) throws {
    if FilePath.exists(output) {
      throw DataError(output, "it exists already", remedy: "Give another name, or remove it.")
    }
    let property = "\(folder)/property"
    if FilePath.exists(property), !FilePath.exists(journalPath) {
      throw DataError(
        property, "it belongs to another set in this folder", remedy: "Give a folder of its own, or remove the set.")
    }
    try OutputFiles.tryOut([
      output, FilePath.replacingEnding(of: output, by: ".idx"), property, RecordCatalog.path(of: output),
    ])
  }

  /// The samples, one person's after another's: the ranges of the layout need it.
  private func orderByPerson() throws -> [Int32] {
    guard source.count > 0 else { throw DataError(source.location, "there is no image in it") }
    let index = ClassIndex(source)
    return source.classNames.indices.flatMap { index.samples(of: $0) }
  }

  /// A writer that goes on where the journal of the same work ends, or begins.
  private func open(_ journal: inout PackingJournal) throws -> RecordFileWriter {
    if let known = try PackingJournal.read(journalPath), known.isOfSameWork(as: journal),
      skipsUnreadable || known.skipped.isEmpty, let writer = try reopen(known)
    {
      journal = known
      return writer
    }
    return try RecordFileWriter(path: partial, keeping: 0, hasRanges: journal.hasRanges)
  }

  /// nil where the file is not what the journal says: then it is made again. Not where it cannot be opened.
  private func reopen(_ known: PackingJournal) throws -> RecordFileWriter? {
    do {
      let writer = try RecordFileWriter(
        path: partial, keeping: known.bytes, digest: known.digest, hasRanges: known.hasRanges)
      return writer.offsets.count + known.skipped.count == known.done ? writer : nil
    } catch is DataError {
      return nil
    }
  }

  private func save(_ journal: inout PackingJournal, _ writer: RecordFileWriter) throws {
    try writer.synchronize()
    journal.bytes = writer.size
    journal.digest = writer.recordsDigest
    try journal.write(to: journalPath)
  }

  private func finish(
    _ journal: PackingJournal, _ writer: RecordFileWriter, _ samples: [Int32]
  ) throws -> Summary {
    let people = source.classNames.count
    let skipped = Set(journal.skipped.map(\.sample))
    let kept = samples.filter { !skipped.contains(Int($0)) }
    var known = [Bool](repeating: false, count: people)
    for label in writer.labels { known[Int(label)] = true }
    if let person = known.firstIndex(of: false) {
      throw DataError(
        "\(source.location)/\(source.classNames[person])", "none of this person's images can be read",
        remedy: "Mend the images or remove the person.")
    }
    var journal = journal
    try save(&journal, writer)
    let offsets = try writer.finish(people: people)
    let table = RecordTable(
      offsets: Column(writer.offsets), labels: Column(writer.labels), sizes: Column(writer.sizes),
      keys: Column((0..<kept.count).map { Int64($0 + (writer.hasRanges ? 1 : 0)) }), people: source.classNames,
      namesPeople: source.namesPeople,
      digests: Column(writer.digests), names: NameColumn(kept.map { Self.name(source.identifier(of: Int($0))) }))
    let property = RecordProperty(classes: people, height: journal.height, width: journal.width)
    let folder = FilePath.split(output).folder
    try AtomicFile.write(
      Data(RecordIndex.text(key: 0, offsets: offsets)), to: FilePath.replacingEnding(of: output, by: ".idx"))
    try AtomicFile.write(Data(property.text.utf8), to: "\(folder)/property")
    try RecordCatalog.write(table, recordBytes: writer.size, to: RecordCatalog.path(of: output))
    guard rename(partial, output) == 0 else { throw FileError("rename the finished file to", output) }
    try AtomicFile.synchronizeFolder(folder)
    unlink(journalPath)
    return Summary(images: kept.count, people: people, bytes: writer.size, skipped: journal.skipped)
  }
}
