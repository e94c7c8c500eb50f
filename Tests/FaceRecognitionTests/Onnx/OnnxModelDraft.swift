import Foundation

/// Writes a protocol buffer, field after field.
struct ProtocolBuffer {
  private(set) var bytes: [UInt8] = []

  private mutating func number(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func add(_ field: Int, _ value: Int) {
    number(UInt64(field << 3))
    number(UInt64(bitPattern: Int64(value)))
  }

  mutating func add(_ field: Int, _ value: Float) {
    number(UInt64(field << 3 | 5))
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  mutating func add(_ field: Int, _ value: some Sequence<UInt8>) {
    let value = Array(value)
    number(UInt64(field << 3 | 2))
    number(UInt64(value.count))
    bytes += value
  }

  mutating func add(_ field: Int, _ text: String) { add(field, text.utf8) }
}

/// A tensor of an ONNX file: `TensorProto`.
struct OnnxTensorDraft {
  /// Fields of `TensorProto` that hold numbers, and its types.
  enum Form {
    case raw, floatData, half, double, integers, bytes
    /// In another file, at an offset.
    case external(String, Int)
  }

  var name: String
  var shape: [Int]
  var values: [Float]
  var form = Form.raw

  var message: [UInt8] {
    var tensor = ProtocolBuffer()
    for extent in shape { tensor.add(1, extent) }
    tensor.add(8, name)
    switch form {
    case .raw:
      tensor.add(2, 1)
      tensor.add(9, values.flatMap { bytes(of: $0.bitPattern) })
    case .floatData:
      tensor.add(2, 1)
      tensor.add(4, values.flatMap { bytes(of: $0.bitPattern) })
    case .half:
      tensor.add(2, 10)
      tensor.add(9, values.flatMap { bytes(of: Float16($0).bitPattern) })
    case .double:
      tensor.add(2, 11)
      tensor.add(9, values.flatMap { bytes(of: Double($0).bitPattern) })
    case .integers:
      tensor.add(2, 7)
      for value in values { tensor.add(7, Int(value)) }
    case .bytes:
      tensor.add(2, 3)
      tensor.add(9, values.map { UInt8(bitPattern: Int8($0)) })
    case .external(let file, let offset):
      tensor.add(2, 1)
      for (key, value) in [("location", file), ("offset", "\(offset)"), ("length", "\(4 * values.count)")] {
        var entry = ProtocolBuffer()
        entry.add(1, key)
        entry.add(2, value)
        tensor.add(13, entry.bytes)
      }
      tensor.add(14, 1)
    }
    return tensor.bytes
  }

  private func bytes(of number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }
}

/// A node of an ONNX file: `NodeProto`.
struct OnnxNodeDraft {
  enum Attribute {
    case integer(Int)
    case float(Float)
    case integers([Int])
    case tensor(OnnxTensorDraft)
  }

  var name: String
  var type: String
  var inputs: [String]
  var outputs: [String]
  var attributes: [(String, Attribute)] = []

  var message: [UInt8] {
    var node = ProtocolBuffer()
    for input in inputs { node.add(1, input) }
    for output in outputs { node.add(2, output) }
    node.add(3, name)
    node.add(4, type)
    for (name, value) in attributes {
      var attribute = ProtocolBuffer()
      attribute.add(1, name)
      switch value {
      case .integer(let value):
        attribute.add(3, value)
        attribute.add(20, 2)
      case .float(let value):
        attribute.add(2, value)
        attribute.add(20, 1)
      case .integers(let values):
        for value in values { attribute.add(8, value) }
        attribute.add(20, 7)
      case .tensor(let tensor):
        attribute.add(5, tensor.message)
        attribute.add(20, 4)
      }
      node.add(5, attribute.bytes)
    }
    return node.bytes
  }
}

/// An ONNX file in the making: `ModelProto`, `GraphProto`.
struct OnnxModelDraft {
  var operatorSet = 13
  var nodes: [OnnxNodeDraft] = []
  var tensors: [OnnxTensorDraft] = []
  var input = "images"
  /// nil where it is left open.
  var inputShape: [Int?] = [nil, 3, 48, 48]
  var takesBytes = false
  var output = "out"
  var initializersAreInputs = false

  var data: Data {
    var graph = ProtocolBuffer()
    for node in nodes { graph.add(1, node.message) }
    graph.add(2, "graph")
    for tensor in tensors { graph.add(5, tensor.message) }
    graph.add(11, value(input, takesBytes ? 2 : 1, inputShape))
    if initializersAreInputs { for tensor in tensors { graph.add(11, value(tensor.name, 1, tensor.shape)) } }
    graph.add(12, value(output, 1, [nil, nil]))
    var operators = ProtocolBuffer()
    operators.add(2, operatorSet)
    var model = ProtocolBuffer()
    model.add(1, 7)
    model.add(7, graph.bytes)
    model.add(8, operators.bytes)
    return Data(model.bytes)
  }

  private func value(_ name: String, _ type: Int, _ shape: [Int?]) -> [UInt8] {
    var dimensions = ProtocolBuffer()
    for extent in shape {
      var dimension = ProtocolBuffer()
      if let extent { dimension.add(1, extent) } else { dimension.add(2, "N") }
      dimensions.add(1, dimension.bytes)
    }
    var tensor = ProtocolBuffer()
    tensor.add(1, type)
    tensor.add(2, dimensions.bytes)
    var kind = ProtocolBuffer()
    kind.add(1, tensor.bytes)
    var value = ProtocolBuffer()
    value.add(1, name)
    value.add(2, kind.bytes)
    return value.bytes
  }
}
