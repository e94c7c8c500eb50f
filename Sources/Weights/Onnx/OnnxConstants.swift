/// What an ONNX graph computes of constants alone, as exporters that do not fold them leave it to be done: shapes of
/// PReLU's slopes, transposed weights, biases of zeros.
///
/// Constant, Identity, Cast, CastLike, Shape, Reshape, Unsqueeze, Squeeze, Transpose, Expand, ConstantOfShape, Concat.
struct OnnxConstants {
  private let tensors: OnnxTensors
  private var made: [String: OnnxConstant] = [:]
  private var madeCount = 0

  /// Numbers in all; the largest weight, transposed, has a few less.
  private static let maximumCount = 1 << 27

  /// Dimensions of a shape that is put together; what is longer is none.
  private static let maximumShape = 64

  init(_ tensors: OnnxTensors) { self.tensors = tensors }

  func contains(_ name: String) -> Bool { made[name] != nil || tensors.contains(name) }

  func value(_ name: String) throws -> OnnxConstant? { try made[name] ?? tensors.constant(name) }

  /// Computes the node's output, where all that it depends on is known; false where it is not, or by an operator that is
  /// not known here.
  mutating func make(_ node: Onnx_NodeProto, _ inputs: [String]) throws -> Bool {
    // Only the type of CastLike's second input counts.
    let needed = node.opType == "CastLike" ? Array(inputs.prefix(1)) : inputs
    guard node.output.count == 1, needed.allSatisfy({ $0.isEmpty || contains($0) }) else { return false }
    guard Self.operators.contains(node.opType) else { return false }
    let values = try needed.map { $0.isEmpty ? nil : try value($0) }
    guard let result = try constant(node, values) else { return false }
    madeCount += result.count
    made[node.output[0]] = result
    return true
  }

  private static let operators: Set = [
    "Constant", "Cast", "CastLike", "Shape", "Reshape", "Unsqueeze", "Squeeze", "Transpose", "Expand",
    "ConstantOfShape",
    "Concat",
  ]

  private func constant(_ node: Onnx_NodeProto, _ inputs: [OnnxConstant?]) throws -> OnnxConstant? {
    if node.opType == "Constant" { return try constant(attributeOf: node) }
    guard let first = inputs.first ?? nil, first.count <= Self.maximumCount - madeCount else { return nil }
    switch node.opType {
    case "Cast", "CastLike": return cast(first, node)
    case "Shape": return Self.shape(first, node)
    case "Reshape":
      guard inputs.count == 2, let shape = inputs[1]?.integers else { return nil }
      return Self.reshaped(first, shape)
    case "Unsqueeze":
      guard let axes = Self.axes(node, inputs), let shape = Self.unsqueezed(first.shape, axes) else { return nil }
      return OnnxConstant(shape: shape, numbers: first.numbers)
    case "Squeeze":
      let rank = first.shape.count
      let axes =
        Self.axes(node, inputs)?.map { $0 < 0 ? $0 + rank : $0 } ?? first.shape.indices.filter { first.shape[$0] == 1 }
      guard axes.allSatisfy({ first.shape.indices.contains($0) && first.shape[$0] == 1 }) else { return nil }
      let shape = first.shape.indices.filter { !axes.contains($0) }.map { first.shape[$0] }
      return OnnxConstant(shape: shape, numbers: first.numbers)
    case "Transpose":
      guard first.shape.count == 2, node.ints("perm") ?? [1, 0] == [1, 0], let values = first.floats else { return nil }
      return OnnxConstant(
        shape: [first.shape[1], first.shape[0]],
        numbers: .floats(Self.transposed(values, first.shape[0], first.shape[1])))
    case "Expand", "ConstantOfShape": return try filled(node, inputs)
    case "Concat":
      let parts = inputs.compactMap { $0?.integers }
      guard parts.count == inputs.count, inputs.allSatisfy({ $0?.shape.count == 1 }),
        parts.reduce(0, { $0 + $1.count }) <= Self.maximumShape
      else { return nil }
      let all = parts.flatMap { $0 }
      return OnnxConstant(shape: [all.count], numbers: .integers(all))
    default: return nil
    }
  }

  private func constant(attributeOf node: Onnx_NodeProto) throws -> OnnxConstant? {
    guard let attribute = node.attribute.first else { return nil }
    switch attribute.name {
    case "value":
      let constant = try tensors.constant(of: attribute.t)
      return constant.count <= Self.maximumCount - madeCount ? constant : nil
    case "value_float": return OnnxConstant(shape: [], numbers: .floats([attribute.f]))
    case "value_floats": return OnnxConstant(shape: [attribute.floats.count], numbers: .floats(attribute.floats))
    case "value_int": return OnnxConstant(shape: [], numbers: .integers([Int(attribute.i)]))
    case "value_ints":
      return OnnxConstant(shape: [attribute.ints.count], numbers: .integers(attribute.ints.map { Int($0) }))
    default: return nil
    }
  }

  /// To floating-point numbers, or as it is.
  private func cast(_ constant: OnnxConstant, _ node: Onnx_NodeProto) -> OnnxConstant {
    let toFloat =
      node.opType == "CastLike"
      || node.int("to").map { OnnxReading.floatingPoint.contains(Int32(clamping: $0)) } == true
    guard toFloat, let values = constant.integers else { return constant }
    return OnnxConstant(shape: constant.shape, numbers: .floats(values.map { Float($0) }))
  }

  /// One number in every place of a shape.
  private func filled(_ node: Onnx_NodeProto, _ inputs: [OnnxConstant?]) throws -> OnnxConstant? {
    var value = OnnxConstant(shape: [], numbers: .floats([0]))
    if node.opType == "Expand" {
      guard inputs.count == 2, let given = inputs[0] else { return nil }
      value = given
    } else if let attribute = node.attribute.first(where: { $0.name == "value" }) {
      value = try tensors.constant(of: attribute.t)
    }
    guard value.count == 1, let shape = inputs.last??.integers, let count = Self.count(shape),
      count <= Self.maximumCount - madeCount
    else { return nil }
    switch value.numbers {
    case .floats(let one): return OnnxConstant(shape: shape, numbers: .floats(Array(repeating: one[0], count: count)))
    case .integers(let one):
      guard count <= Self.maximumShape else { return nil }
      return OnnxConstant(shape: shape, numbers: .integers(Array(repeating: one[0], count: count)))
    }
  }

  // MARK: - Shapes

  static func transposed(_ values: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: values.count) { result, initialized in
      for row in 0..<rows { for column in 0..<columns { result[column * rows + row] = values[row * columns + column] } }
      initialized = values.count
    }
  }

  private static func count(_ shape: [Int]) -> Int? {
    shape.reduce(1) { product, extent in
      guard let product, extent >= 0 else { return nil }
      let (result, overflow) = product.multipliedReportingOverflow(by: extent)
      return overflow ? nil : result
    }
  }

  /// From `start` to `end`, where these are given (opset 15).
  private static func shape(_ constant: OnnxConstant, _ node: Onnx_NodeProto) -> OnnxConstant {
    let part = constant.shape[OnnxReading.range(node, rank: constant.shape.count)]
    return OnnxConstant(shape: [part.count], numbers: .integers(Array(part)))
  }

  private static func reshaped(_ constant: OnnxConstant, _ shape: [Int]) -> OnnxConstant? {
    // -1, once, stands for the rest.
    let known = shape.filter { $0 != -1 }
    guard shape.count - known.count <= 1, let count = count(known) else { return nil }
    let rest = count > 0 ? constant.count / count : 0
    let result = shape.map { $0 == -1 ? rest : $0 }
    return Self.count(result) == constant.count ? OnnxConstant(shape: result, numbers: constant.numbers) : nil
  }

  private static func unsqueezed(_ shape: [Int], _ axes: [Int]) -> [Int]? {
    let rank = shape.count + axes.count
    let places = Set(axes.map { $0 < 0 ? $0 + rank : $0 })
    guard places.count == axes.count, rank <= 8, places.allSatisfy((0..<rank).contains) else { return nil }
    var rest = shape.makeIterator()
    return (0..<rank).map { places.contains($0) ? 1 : rest.next()! }
  }

  /// An attribute, and from opset 13 on the second input.
  private static func axes(_ node: Onnx_NodeProto, _ inputs: [OnnxConstant?]) -> [Int]? {
    node.ints("axes")?.map { Int($0) } ?? (inputs.count > 1 ? inputs[1]?.integers : nil)
  }
}
