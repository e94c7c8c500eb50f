import Files
import Glibc

/// A RecordIO file of labelled images that grows record by record, and what its catalog will say.
///
/// InsightFace's layout (see `RecordScan`), or where its Floats cannot count the records, `im2rec`'s.
final class RecordFileWriter {
  let path: String
  let hasRanges: Bool
  private let descriptor: CInt
  private var pending: [UInt8] = []
  /// Bytes of the file, those pending included.
  private(set) var size: Int
  private(set) var offsets: [Int64] = []
  private(set) var labels: [Int32] = []
  private(set) var sizes: [Int32] = []
  private(set) var digests: [UInt64] = []

  /// Of the images' records, as in the file.
  private var stream = DigestStream()

  private static let bufferBytes = 1 << 20

  /// Whether the layout with ranges can count so many records.
  static func canHaveRanges(images: Int, people: Int) -> Bool { images + people + 1 < RecordHeader.exactLimit }

  /// Goes on after the first `kept` bytes of `path`; begins a new file where that is 0.
  ///
  /// - Parameter digest: `recordsDigest` when those were written.
  /// - Throws: `FileError`, and `DataError` where those bytes are not what they were.
  init(path: String, keeping kept: Int, digest: Digest? = nil, hasRanges: Bool) throws {
    let descriptor = try OutputFile.open(path, O_RDWR | O_CREAT, "create a file to write")
    self.path = path
    self.hasRanges = hasRanges
    self.descriptor = descriptor
    size = kept
    guard ftruncate(descriptor, kept) == 0, lseek(descriptor, kept, SEEK_SET) == kept else {
      throw FileError("write", path)
    }
    if kept > 0 {
      try readBack()
      guard digest == nil || digest == recordsDigest else {
        throw DataError(path, "its bytes are not those that were written")
      }
    } else if hasRanges {
      // A place for the header, which can be written only when all is counted.
      append(Self.frame(RecordHeader(range: 0..<0, id: 0).bytes))
    }
  }

  /// The key of the next record.
  var nextKey: Int { offsets.count + (hasRanges ? 1 : 0) }

  /// Of all images' records so far.
  var recordsDigest: Digest { stream.digest }

  func append(image: [UInt8], label: Int32) throws(FileError) {
    let record = RecordHeader(label: Int(label), id: nextKey).bytes + image
    note(offset: size, label: label, size: image.count, digest: record.withUnsafeBytes(RecordSet.digest))
    let bytes = Self.frame(record)
    bytes.withUnsafeBytes { stream.update($0) }
    append(bytes)
    if pending.count >= Self.bufferBytes { try flush() }
  }

  /// Makes all that has been appended durable.
  func synchronize() throws(FileError) {
    try flush()
    guard fdatasync(descriptor) == 0 else { throw FileError("flush to disk", path) }
  }

  /// Appends the people's ranges, where the layout has them, fills in the header, and makes the file durable.
  ///
  /// Returns the offset of every record, in the order of the keys.
  func finish(people: Int) throws(FileError) -> [Int] {
    var all = offsets.map(Int.init)
    if hasRanges {
      let images = offsets.count
      let total = images + 1 + people
      var start = 0
      for person in 0..<people {
        var end = start
        while end < images, labels[end] == Int32(person) { end += 1 }
        all.append(size)
        append(Self.frame(RecordHeader(range: (start + 1)..<(end + 1), id: images + 1 + person).bytes))
        start = end
      }
      precondition(start == images, "Images of \(people) people that do not follow one another")
      all.insert(0, at: 0)
      try flush()
      let header = Self.frame(RecordHeader(range: (images + 1)..<total, id: 0).bytes)
      guard pwrite(descriptor, header, header.count, 0) == header.count else { throw FileError("write", path) }
    }
    try synchronize()
    return all
  }

  deinit { close(descriptor) }

  private static func frame(_ record: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(record.count + 16)
    record.withUnsafeBytes { RecordIO.append($0, to: &bytes) }
    return bytes
  }

  private func append(_ bytes: [UInt8]) {
    pending.append(contentsOf: bytes)
    size += bytes.count
  }

  private func flush() throws(FileError) {
    let bytes = pending
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in
      try AtomicFile.write(UnsafeRawBufferPointer(bytes), to: descriptor, path: path)
    }
    pending.removeAll(keepingCapacity: true)
  }

  private func note(offset: Int, label: Int32, size: Int, digest: UInt64) {
    offsets.append(Int64(offset))
    labels.append(label)
    sizes.append(Int32(size))
    digests.append(digest)
  }

  /// Learns what the kept records are.
  private func readBack() throws {
    let file = try MappedFile(path: path)
    defer { withExtendedLifetime(file) {} }
    let scratch = ByteBuffer()
    var position = 0
    while position < size {
      let span = try RecordIO.span(at: position, in: file.bytes, path: path)
      let isHeader = hasRanges && position == 0
      if !isHeader {
        let row = RecordIO.withBytes(of: span, in: file.bytes, scratch: scratch) { record in
          RecordHeader(record).map { ($0, record.count - $0.count, RecordSet.digest(of: record)) }
        }
        guard let (header, count, digest) = row, let label = try? RecordHeader.classNumber(header.label),
          header == RecordHeader(label: Int(label), id: nextKey)
        else {
          throw DataError(path, "the record at byte \(position) was not written by this program")
        }
        note(offset: position, label: label, size: count, digest: digest)
        stream.update(UnsafeRawBufferPointer(rebasing: file.bytes[span.range]))
      }
      position = span.range.upperBound
    }
    guard position == size else { throw DataError(path, "its records do not end at byte \(size)") }
  }
}
