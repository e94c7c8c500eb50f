import Files

/// One pass over the headers of a RecordIO file, which tells what it holds.
///
/// Two layouts are known:
/// - InsightFace's: record 0 is no image but has the label array (n + 1, n + 1 + C); records 1 ... n are images; the C
///   records after them are people, without images: their label array is the range [first, end) of the person's images.
/// - `im2rec`'s: every record is an image.
///
/// All that is said twice must agree: the .idx and the records, the ranges and the labels, the labels and `property`.
///
/// Labels in the records need not be 0, 1, 2 ...: sets that begin at 1, or that people were taken out of, are numbered anew
/// in the order of their labels, which become the people's names.
struct RecordScan {
  let file: MappedFile
  /// Whether people's ranges confirm the labels.
  private(set) var hasRanges = false
  private(set) var table: RecordTable

  private struct Row {
    let key: Int64
    let offset: Int64
    let label: Float
    let secondLabel: Float?
    let flag: UInt32
    let size: Int32
  }

  /// - Throws: `DataError` naming the file, the record and what is wrong with it.
  init(_ file: MappedFile) throws {
    self.file = file
    guard file.bytes.count > 0 else { throw DataError(file.path, "the file is empty (0 bytes)") }
    let rows = try Self.rows(of: file).sorted { $0.key < $1.key }
    let hasHeader = rows[0].key == 0 && rows[0].flag >= 2 && rows[0].size == 0
    let images = hasHeader ? try Self.images(rows, file.path) : rows[...]
    guard !images.isEmpty else { throw DataError(file.path, "there is no image in it") }
    // People's records whose header is damaged would else pass for images.
    if let empty = images.first(where: { $0.size == 0 }) { throw Self.failure(file.path, empty.key, "it has no image") }
    guard images.count <= Int(Int32.max) else {
      throw DataError(file.path, "\(images.count) images are more than \(Int32.max)")
    }
    let labels = try images.map { row throws(DataError) in
      do throws(RecordHeader.Failure) {
        return try RecordHeader.classNumber(row.label)
      } catch {
        throw Self.failure(
          file.path, row.key, error.reason,
          remedy: "Number the people 0, 1, 2 ... (gaps do no harm), and make the .rec again.")
      }
    }
    let people = rows[images.endIndex...]
    if hasHeader { hasRanges = try Self.checkRanges(people, labels, file.path) }
    let (numbers, dense) = Self.renumber(labels)
    try Self.checkProperty(numbers, ranges: hasRanges ? people.count : nil, file.path)
    table = RecordTable(
      offsets: Column(images.map(\.offset)), labels: Column(dense), sizes: Column(images.map(\.size)),
      keys: Column(images.map(\.key)), people: numbers.map { Name("\($0)") }, namesPeople: false, numbers: numbers)
  }

  /// Every record's header. The records must fill the file, and begin where the .idx says, if there is one.
  private static func rows(of file: MappedFile) throws -> [Row] {
    let path = file.path
    let indexPath = FilePath.replacingEnding(of: path, by: ".idx")
    let index = FilePath.exists(indexPath) ? try RecordIndex.read(indexPath) : nil
    let scratch = ByteBuffer()
    var rows: [Row] = []
    rows.reserveCapacity(index?.count ?? 0)
    var position = 0
    while position < file.bytes.count {
      if let index {
        guard rows.count < index.count, index[rows.count].offset == position else {
          let claim = rows.count < index.count ? "the next at byte \(index[rows.count].offset)" : "no other"
          throw DataError(
            indexPath, "it is not the index of this .rec: a record begins at byte \(position), and it names \(claim)",
            remedy: RecordIndex.remedy)
        }
      }
      let key = index?[rows.count].key ?? rows.count
      let span = try RecordIO.span(at: position, in: file.bytes, path: path)
      let row: Row? = RecordIO.withBytes(of: span, in: file.bytes, scratch: scratch) { record in
        guard let header = RecordHeader(record) else { return nil }
        return Row(
          key: Int64(key), offset: Int64(position), label: header.label, secondLabel: header.secondLabel,
          flag: header.flag, size: Int32(record.count - header.count))
      }
      guard let row else {
        throw failure(path, Int64(key), "its \(span.length) bytes end before its header and labels do")
      }
      rows.append(row)
      position = span.range.upperBound
    }
    if let index, rows.count < index.count {
      throw DataError(
        indexPath, "it names a record at byte \(index[rows.count].offset), but the .rec has \(file.bytes.count) bytes",
        remedy: RecordIndex.remedy)
    }
    return rows
  }

  /// The images among the records of InsightFace's layout.
  private static func images(_ rows: [Row], _ path: String) throws(DataError) -> ArraySlice<Row> {
    let people: Int = rows[1...].firstIndex { $0.size == 0 } ?? rows.count
    let claims = (rows[0].label, rows[0].secondLabel ?? -1)
    // Past 2^24 the header itself is rounded.
    guard claims == (Float(people), Float(rows.count)), zip(rows, Int64(0)...).allSatisfy({ $0.key == $1 }) else {
      throw DataError(
        path,
        "record 0 promises images before record \(claims.0) and people before record \(claims.1), but there are "
          + "\(rows.count) records, and the first after it without an image is \(people)")
    }
    return rows[1..<people]
  }

  /// Holds the people's ranges against the images' labels. False where there are none, or too many images for Floats.
  private static func checkRanges(_ people: ArraySlice<Row>, _ labels: [Int32], _ path: String) throws -> Bool {
    guard !people.isEmpty, labels.count + 1 < RecordHeader.exactLimit else { return false }
    var seen: Set<Int32> = []
    var next = 1
    for row in people {
      let range = (row.label, row.secondLabel ?? -1)
      guard row.size == 0, row.flag >= 2, range.0 == Float(next), range.1 >= range.0, range.1 == range.1.rounded(),
        range.1 <= Float(labels.count + 1)
      else {
        throw failure(
          path, row.key, "a person's images should follow record \(next - 1), but its range is \(range.0) to \(range.1)"
        )
      }
      let end = Int(range.1)
      if end > next {
        let label = labels[next - 1]
        guard seen.insert(label).inserted else {
          throw failure(path, row.key, "a second person has the label \(label)")
        }
        if let other = (next..<end).first(where: { labels[$0 - 1] != label }) {
          throw failure(
            path, Int64(other), "its label is \(labels[other - 1]), but its person's others have the label \(label)")
        }
      }
      next = end
    }
    guard next == labels.count + 1 else {
      throw DataError(path, "the people's ranges end at record \(next - 1) of \(labels.count) images")
    }
    return true
  }

  /// The numbers that occur among the labels, ascending, and the labels as places among them.
  private static func renumber(_ labels: [Int32]) -> (numbers: [Int32], dense: [Int32]) {
    // Labels are less than 2^24: the table is small, whatever they are.
    var places = [Int32](repeating: -1, count: Int(labels.max() ?? -1) + 1)
    for label in labels { places[Int(label)] = 0 }
    var numbers: [Int32] = []
    for number in places.indices where places[number] == 0 {
      places[number] = Int32(numbers.count)
      numbers.append(Int32(number))
    }
    return (numbers, labels.map { places[Int($0)] })
  }

  /// Holds `property` against the labels. It may count people who have no image any more: up to the last label, or as
  /// many as there are ranges.
  private static func checkProperty(_ numbers: [Int32], ranges: Int?, _ path: String) throws(DataError) {
    guard let classes = try RecordProperty.beside(path)?.classes else { return }
    guard classes != numbers.count, classes != Int(numbers[numbers.count - 1]) + 1, classes != ranges else { return }
    let (folder, name) = FilePath.split(path)
    throw DataError(
      "\(folder)/property",
      "it says \(classes) people, but \(name) has \(numbers.count), with labels from \(numbers[0]) to "
        + "\(numbers[numbers.count - 1])",
      remedy: "Mend it or take it away: a .rec can be read without.")
  }

  private static func failure(_ path: String, _ key: Int64, _ reason: String, remedy: String? = nil) -> DataError {
    DataError("\(path), record \(key)", reason, remedy: remedy)
  }
}
