import Foundation

/// A .rec as MXNet's and InsightFace's Python programs write it, by the published format alone: nothing here is shared with
/// the program under test.
struct RecordFixture {
  static let magic: [UInt8] = [0x0A, 0x23, 0xD7, 0xCE]

  private(set) var bytes: [UInt8] = []
  private(set) var offsets: [Int] = []

  /// Label arrays get a flag; one label goes into the header.
  static func record(labels: [Float], id: UInt64, image: [UInt8]) -> [UInt8] {
    let flag = labels.count == 1 ? 0 : UInt32(labels.count)
    let single = labels.count == 1 ? labels[0] : 0
    let array = labels.count == 1 ? [] : labels.flatMap { little($0.bitPattern) }
    return little(flag) + little(single.bitPattern) + little(id) + little(UInt64(0)) + array + image
  }

  /// Appends a record; cuts it where the magic number stands at a multiple of 4 bytes.
  mutating func append(_ record: [UInt8]) {
    offsets.append(bytes.count)
    var pieces: [[UInt8]] = [[]]
    for start in stride(from: 0, to: record.count, by: 4) {
      let word = Array(record[start..<min(start + 4, record.count)])
      if word == Self.magic { pieces.append([]) } else { pieces[pieces.count - 1] += word }
    }
    for (number, piece) in pieces.enumerated() {
      let kind: UInt32 = pieces.count == 1 ? 0 : number == 0 ? 1 : number == pieces.count - 1 ? 3 : 2
      bytes += Self.magic + Self.little(kind << 29 | UInt32(piece.count)) + piece
      bytes += [UInt8](repeating: 0, count: (4 - piece.count % 4) % 4)
    }
  }

  var index: String { offsets.enumerated().map { "\($0)\t\($1)\n" }.joined() }

  /// InsightFace's layout, images of `people` one person after the other.
  static func insightFace(_ people: [[[UInt8]]]) -> RecordFixture {
    let count = people.map(\.count).reduce(0, +)
    var file = RecordFixture()
    file.append(record(labels: [Float(count + 1), Float(count + 1 + people.count)], id: 0, image: []))
    for (label, images) in people.enumerated() {
      for image in images {
        file.append(record(labels: [Float(label)], id: UInt64(file.offsets.count), image: image))
      }
    }
    var start = 1
    for images in people {
      let range = [Float(start), Float(start + images.count)]
      file.append(record(labels: range, id: UInt64(file.offsets.count), image: []))
      start += images.count
    }
    return file
  }

  /// im2rec's layout.
  static func plain(_ records: [(label: Float, image: [UInt8])]) -> RecordFixture {
    var file = RecordFixture()
    for (key, item) in records.enumerated() {
      file.append(record(labels: [item.label], id: UInt64(key), image: item.image))
    }
    return file
  }

  private static func little(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
  }
}
