import Files

/// What stands where in a RecordIO file of labelled images: a row for each image, in the order of the records' keys.
struct RecordTable: Sendable {
  /// Where the records begin.
  var offsets: Column<Int64>
  var labels: Column<Int32>
  /// Bytes of the images, headers not counted.
  var sizes: Column<Int32>
  var keys: Column<Int64>
  /// Of each label, its person's name.
  var people: [Name]
  /// Whether `people` say who they are; else they are the labels' numbers in the records.
  var namesPeople: Bool
  /// Of each label, its number in the records' headers, ascending; nil where a catalog's digests vouch for the headers.
  var numbers: [Int32]?
  /// Of header and image of each record, where a catalog tells.
  var digests: Column<UInt64>?
  var names: NameColumn?

  var count: Int { offsets.count }

  /// Whether people are called 0, 1, 2 ... as their labels are.
  var areCalledByLabel: Bool { people.enumerated().allSatisfy { Name("\($0)") == $1 } }

  /// The image's path where a catalog tells, else the record's key.
  func name(of sample: Int) -> String { names?[sample] ?? "record \(keys[sample])" }
}

/// Names one after the other, each ended by a zero.
struct NameColumn: Sendable {
  private let bytes: Column<UInt8>
  private let starts: Column<Int64>

  /// Nil where `starts` are not those of the names in `bytes`: one for each zero.
  init?(_ bytes: Column<UInt8>, starts: Column<Int64>) {
    let isWhole = bytes.withBytes { bytes in
      var name = 0
      var start = 0
      for place in bytes.indices where bytes[place] == 0 {
        guard name < starts.count, starts[name] == Int64(start) else { return false }
        name += 1
        start = place + 1
      }
      return start == bytes.count && name == starts.count
    }
    guard isWhole else { return nil }
    self.bytes = bytes
    self.starts = starts
  }

  init(_ names: some Sequence<String>) {
    var builder = Builder()
    for name in names { builder.append(name) }
    self.init(builder)
  }

  init(_ names: Builder) {
    bytes = Column(names.bytes)
    starts = Column(names.starts)
  }

  /// Names one by one, where all of them as Strings would be too many.
  struct Builder {
    fileprivate private(set) var bytes: [UInt8] = []
    fileprivate private(set) var starts: [Int64] = []

    mutating func append(_ name: String) {
      starts.append(Int64(bytes.count))
      bytes.append(contentsOf: name.utf8)
      bytes.append(0)
    }
  }

  var count: Int { starts.count }

  subscript(index: Int) -> String {
    let start = Int(starts[index])
    let end = index + 1 < starts.count ? Int(starts[index + 1]) : bytes.count
    return bytes.withBytes { Name.text(of: $0[start..<(end - 1)]) }
  }

  var columns: (bytes: Column<UInt8>, starts: Column<Int64>) { (bytes, starts) }
}
