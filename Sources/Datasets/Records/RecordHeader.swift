/// What stands before the image in a record: MXNet's `IRHeader`, `IfQQ` in the notation of Python's `struct`.
///
///     flag (UInt32), label (Float), id (UInt64), id2 (UInt64), flag labels more (Float) where flag > 0
///
/// With flag 0 the label is the one in the header, else the first of the array.
struct RecordHeader: Equatable {
  /// Bytes of a header without a label array.
  static let size = 24
  /// Whole numbers from here on may have been rounded when they became Floats.
  static let exactLimit = 1 << 24

  var flag: UInt32 = 0
  var label: Float
  var id: UInt64
  /// The second of the array, if it has one.
  var secondLabel: Float?
  /// Bytes of the header, label array included: the image follows.
  var count = size

  /// A header with one label.
  init(label: Int, id: Int) {
    self.label = Float(label)
    self.id = UInt64(id)
  }

  /// A header with a range of numbers in its label array.
  init(range: Range<Int>, id: Int) {
    flag = 2
    label = Float(range.lowerBound)
    secondLabel = Float(range.upperBound)
    self.id = UInt64(id)
    count = Self.size + 8
  }

  /// Reads the header of a record; nil where the record is too short for it.
  init?(_ record: UnsafeRawBufferPointer) {
    func float(_ offset: Int) -> Float {
      Float(bitPattern: UInt32(littleEndian: record.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }
    guard record.count >= Self.size else { return nil }
    flag = UInt32(littleEndian: record.loadUnaligned(as: UInt32.self))
    id = UInt64(littleEndian: record.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    guard Int(flag) <= (record.count - Self.size) / 4 else { return nil }
    count = Self.size + 4 * Int(flag)
    label = float(flag == 0 ? 4 : Self.size)
    secondLabel = flag >= 2 ? float(Self.size + 4) : nil
  }

  /// As in a file.
  var bytes: [UInt8] {
    func little(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }
    let array = secondLabel.map { [label, $0] } ?? []
    precondition(flag == UInt32(array.count), "A header of flag \(flag) with \(array.count) labels")
    return little(flag) + little(flag == 0 ? label.bitPattern : 0) + little(id) + little(UInt64(0))
      + array.flatMap { little($0.bitPattern) }
  }

  /// The class that a label names, or why it names none.
  static func classNumber(_ label: Float) throws(Failure) -> Int32 {
    guard label.isFinite else { throw Failure(reason: "its label is \(label)") }
    guard label >= 0, label == label.rounded() else {
      throw Failure(reason: "its label is \(label), but labels are whole numbers from 0 on")
    }
    guard label < Float(exactLimit) else {
      throw Failure(
        reason: "its label is \(Int(exactly: label).map(String.init) ?? "\(label)"), "
          + "but from \(exactLimit) on a Float cannot tell a label from the next")
    }
    return Int32(label)
  }

  struct Failure: Error {
    let reason: String
  }
}
