/// What a safetensors file says about itself, checked against its size.
///
/// The format (https://huggingface.co/docs/safetensors): a little-endian UInt64 with the header's length, the header (a
/// JSON object, padded with spaces), and the data. The tensors must cover the data exactly, without holes or overlap.
package struct SafetensorsHeader {
  struct Entry {
    let name: String
    let type: TensorType
    let shape: [Int]
    /// Place in the file, from its first byte.
    let bytes: Range<Int>
    /// Of PyTorch's files alone, where its elements are in another order: elements between neighbours of each dimension.
    var strides: [Int]?
    /// Bytes with a checksum that `bytes` are part of.
    var checked: Checked?

    struct Checked {
      let range: Range<Int>
      let checksum: UInt32
    }
  }

  /// In the header's order.
  let entries: [Entry]
  let metadata: [String: String]

  /// The reference implementation's limit: a giant length must not make anybody allocate or parse that much.
  package static let maximumLength = 100_000_000

  /// Reads and checks the header of `file`, the whole file's bytes.
  init(_ file: UnsafeRawBufferPointer, path: String) throws(SafetensorsError) {
    guard file.count >= 8 else {
      throw SafetensorsError(
        path: path, reason: "no safetensors file: \(file.count) bytes, and the header's length alone has 8")
    }
    let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard length <= Self.maximumLength else {
      throw SafetensorsError(
        path: path, offset: 0,
        reason: "no safetensors file: a header of \(length) bytes, at most \(Self.maximumLength) are allowed")
    }
    guard length <= file.count - 8 else {
      throw SafetensorsError(
        path: path, offset: 0, reason: "cut off: a header of \(length) bytes in a file of \(file.count)")
    }
    let dataStart = 8 + Int(length)
    guard length > 0, file[8] == UInt8(ascii: "{") else {
      throw SafetensorsError(path: path, offset: 8, reason: "no safetensors file: the header does not start with '{'")
    }

    var scanner = HeaderScanner(UnsafeRawBufferPointer(rebasing: file[8..<dataStart]), path: path)
    var entries: [Entry] = []
    var metadata: [String: String]?
    var names: Set<String> = []
    try scanner.list("{", "}") { (scanner) throws(SafetensorsError) in
      let place = scanner.offset
      let name = try scanner.string()
      try scanner.expect(":")
      if name == "__metadata__" {
        guard metadata == nil else { throw scanner.error("'__metadata__' is given twice", at: place) }
        metadata = try Self.metadata(&scanner)
      } else {
        guard names.insert(name).inserted else { throw scanner.error("given twice", at: place, tensor: name) }
        entries.append(try Self.entry(name, &scanner, dataStart: dataStart, fileSize: file.count))
      }
    }
    try scanner.expectEnd()
    try Self.checkCoverage(of: entries, from: dataStart, to: file.count, path: path)
    self.entries = entries
    self.metadata = metadata ?? [:]
  }

  private static func metadata(_ scanner: inout HeaderScanner) throws(SafetensorsError) -> [String: String] {
    var metadata: [String: String] = [:]
    try scanner.list("{", "}") { (scanner) throws(SafetensorsError) in
      let place = scanner.offset
      let key = try scanner.string()
      try scanner.expect(":")
      guard metadata.updateValue(try scanner.string(), forKey: key) == nil else {
        throw scanner.error("the metadata '\(key)' is given twice", at: place)
      }
    }
    return metadata
  }

  private static func entry(
    _ name: String, _ scanner: inout HeaderScanner, dataStart: Int, fileSize: Int
  ) throws(SafetensorsError) -> Entry {
    let start = scanner.offset
    var typeName: String?
    var shape: [Int]?
    var offsets: [Int]?
    do {
      try scanner.list("{", "}") { (scanner) throws(SafetensorsError) in
        let place = scanner.offset
        let key = try scanner.string()
        try scanner.expect(":")
        switch key {
        case "dtype" where typeName == nil: typeName = try scanner.string()
        case "shape" where shape == nil: shape = try wholeNumbers(&scanner)
        case "data_offsets" where offsets == nil: offsets = try wholeNumbers(&scanner)
        default: throw scanner.error("the key '\(key)' is unknown or given twice", at: place)
        }
      }
    } catch {
      throw SafetensorsError(path: error.path, tensor: name, offset: error.offset, reason: error.reason)
    }
    func wrong(_ reason: String) -> SafetensorsError { scanner.error(reason, at: start, tensor: name) }

    guard let typeName, let shape, let offsets else { throw wrong("dtype, shape or data_offsets is missing") }
    guard let type = TensorType(rawValue: typeName) else { throw wrong("the dtype '\(typeName)' is unknown") }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw wrong("data_offsets \(offsets) are not a first and a last byte in order")
    }
    guard offsets[1] <= fileSize - dataStart else {
      throw wrong("its data ends at \(offsets[1]), but the file holds \(fileSize - dataStart) bytes of data: cut off")
    }
    var size = type.width
    for extent in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw wrong("a tensor of shape \(shape) fits no file") }
      size = product
    }
    guard size == offsets[1] - offsets[0] else {
      throw wrong("\(typeName) of shape \(shape) needs \(size) bytes, but data_offsets \(offsets) give another number")
    }
    return Entry(name: name, type: type, shape: shape, bytes: dataStart + offsets[0]..<dataStart + offsets[1])
  }

  private static func wholeNumbers(_ scanner: inout HeaderScanner) throws(SafetensorsError) -> [Int] {
    var numbers: [Int] = []
    try scanner.list("[", "]") { (scanner) throws(SafetensorsError) in numbers.append(try scanner.wholeNumber()) }
    return numbers
  }

  private static func checkCoverage(
    of entries: [Entry], from start: Int, to end: Int, path: String
  ) throws(SafetensorsError) {
    var position = start
    for entry in entries.sorted(by: {
      ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
    }) {
      guard entry.bytes.lowerBound == position else {
        let reason = entry.bytes.lowerBound < position ? "overlaps the tensor before it" : "leaves a hole before it"
        throw SafetensorsError(path: path, tensor: entry.name, offset: entry.bytes.lowerBound, reason: reason)
      }
      position = entry.bytes.upperBound
    }
    guard position == end else {
      throw SafetensorsError(
        path: path, offset: position, reason: "\(end - position) bytes at the end belong to no tensor")
    }
  }
}
