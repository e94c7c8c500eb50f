import Files

/// What of an ONNX file is structure, and what the numbers of its tensors: looked at before the file is decoded, because a
/// message of two bytes takes a hundred in memory, and its numbers take no more than they have in the file.
///
/// Format: https://protobuf.dev/programming-guides/encoding
struct OnnxStructure {
  /// Messages on the way to numbers, with the fields that lead on.
  private enum Message {
    case model, graph, node, attribute, tensor

    func message(in field: Int) -> Message? {
      switch (self, field) {
      case (.model, 7): .graph
      case (.graph, 1): .node
      case (.graph, 5): .tensor
      case (.node, 5): .attribute
      case (.attribute, 5): .tensor
      default: nil
      }
    }

    /// `float_data`, `raw_data` and `double_data`.
    func isNumbers(_ field: Int) -> Bool { self == .tensor && [4, 9, 10].contains(field) }
  }

  /// The largest network exported without folding has 2.
  private static let maximumBytes = 16 << 20

  private let bytes: UnsafeRawBufferPointer
  private let path: String
  private var numberBytes = 0

  /// - Throws: `ModelFileError` where a field is cut off, or the structure is larger than any network's.
  static func check(_ bytes: UnsafeRawBufferPointer, path: String) throws(ModelFileError) {
    var structure = OnnxStructure(bytes: bytes, path: path)
    try structure.visit(.model, 0..<bytes.count)
    guard bytes.count - structure.numberBytes <= maximumBytes else {
      throw ModelFileError(
        path: path,
        reason:
          "has \((bytes.count - structure.numberBytes).grouped) bytes beside its tensors' numbers, more than any network "
          + "here has")
    }
  }

  static func damage(_ path: String, _ reason: String) -> ModelFileError {
    ModelFileError(path: path, reason: "is cut off, damaged, or no ONNX model (\(reason)): fetch the file again")
  }

  private init(bytes: UnsafeRawBufferPointer, path: String) { (self.bytes, self.path) = (bytes, path) }

  private mutating func visit(_ message: Message, _ range: Range<Int>) throws(ModelFileError) {
    var position = range.lowerBound
    while position < range.upperBound {
      let key = try number(at: &position, range)
      let field = Int(key >> 3)
      switch key & 7 {
      case 0: _ = try number(at: &position, range)
      case 1: position += 8
      case 5: position += 4
      case 2:
        let length = try number(at: &position, range)
        guard length <= range.upperBound - position else {
          throw Self.damage(path, "a field of \(length) bytes from byte \(position) on")
        }
        let end = position + Int(length)
        if message.isNumbers(field) { numberBytes += Int(length) }
        if let inner = message.message(in: field) { try visit(inner, position..<end) }
        position = end
      default: throw Self.damage(path, "no field of a protocol buffer at byte \(position)")
      }
    }
    guard position == range.upperBound else { throw Self.damage(path, "a number is cut off") }
  }

  /// A varint.
  private func number(at position: inout Int, _ range: Range<Int>) throws(ModelFileError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard position < range.upperBound else { throw Self.damage(path, "a number is cut off at byte \(position)") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw Self.damage(path, "a number without an end at byte \(position)")
  }
}
