import NeuralNetwork

/// Translates an ONNX graph, node after node in an order in which they can run.
///
/// The definitions are those of https://onnx.ai/onnx/operators, opset 7 and later.
struct OnnxReading {
  let file: OnnxFile
  private(set) var nodes: [OnnxGraph.Node] = []
  private(set) var constants: OnnxConstants
  /// What stands for the output of a node that hands on what it is given.
  private var aliases: [String: String] = [:]
  /// Dimensions of a value: 4 of images (N, C, H, W), 2 of features (N, D).
  private(set) var ranks: [String: Int]
  /// Elements of what is computed from shapes, to reshape by.
  private var shapeLengths: [String: Int] = [:]
  /// Values that are the images but for a scale and a shift.
  private var images: [String: ImageTransform]

  /// FLOAT, FLOAT16, DOUBLE, BFLOAT16
  static let floatingPoint: Set<Int32> = [1, 10, 11, 16]

  init(_ file: OnnxFile) throws {
    self.file = file
    constants = OnnxConstants(file.tensors)
    ranks = [file.input.name: 4]
    images = [file.input.name: ImageTransform()]
  }

  /// The name under which the value is known.
  func resolve(_ name: String) -> String { aliases[name] ?? name }

  mutating func read(_ node: Onnx_NodeProto) throws {
    let inputs = node.input.map(resolve)
    if try constants.make(node, inputs) { return }
    if let length = try lengthOfShape(node, inputs) {
      shapeLengths[node.output[0]] = length
      return
    }
    guard node.domain.isEmpty || node.domain == "ai.onnx", let first = inputs.first, let output = node.output.first,
      !constants.contains(first) || Self.takingConstants.contains(node.opType)
    else { return append(nil, node, inputs) }
    switch node.opType {
    case "Identity": alias(output, first)
    case "Dropout": try handsOn(dropout: node, inputs) ? alias(output, first) : append(nil, node, inputs)
    case "Cast":
      let isFloat = node.int("to").map { Self.floatingPoint.contains(Int32(clamping: $0)) } == true
      isFloat ? alias(output, first) : append(nil, node, inputs)
    case "CastLike": alias(output, first)
    case "Flatten", "Reshape": try flatten(node, inputs)
    case "Squeeze", "Unsqueeze": try squeeze(node, inputs)
    case "Conv": append(try convolution(node, inputs), node, inputs)
    case "Gemm": append(try gemm(node, inputs), node, inputs, rank: 2)
    case "MatMul": append(try product(node, inputs), node, inputs, rank: 2)
    case "PRelu": append(try prelu(node, inputs), node, inputs)
    case "BatchNormalization": scale(try normalization(node, inputs), node, inputs, of: first)
    case "Add", "Sub", "Mul", "Div": try elementwise(node, inputs)
    default: append(nil, node, inputs)
    }
  }

  /// Operators whose first input may be a constant; Identity is what PyTorch writes where two weights are equal.
  private static let takingConstants: Set = ["Add", "Sub", "Mul", "Div", "Identity"]

  /// - Parameter rank: of the output; the first input's unless given.
  private mutating func append(
    _ operation: ElementaryGraph.Operation?, _ node: Onnx_NodeProto, _ inputs: [String], rank: Int? = nil
  ) {
    let values = inputs.filter { !$0.isEmpty && !constants.contains($0) && shapeLengths[$0] == nil }
    let output = node.output.first ?? ""
    ranks[output] = rank ?? values.first.flatMap { ranks[$0] }
    nodes.append(
      OnnxGraph.Node(
        title: node.title, type: node.opType, operation: operation,
        inputs: values.map { images[$0] == nil ? $0 : file.input.name }, output: output,
        images: values.first.flatMap { images[$0] }))
  }

  private mutating func alias(_ output: String, _ value: String) { aliases[output] = value }

  /// A value or constant that is scaled and shifted; of the images it is kept apart.
  private mutating func scale(
    _ normalization: Normalization?, _ node: Onnx_NodeProto, _ inputs: [String], of value: String
  ) {
    if let normalization, let transform = images[value],
      let next = transform.then(normalization.factors.factor, normalization.factors.shift, node.title)
    {
      images[node.output[0]] = next
      ranks[node.output[0]] = 4
    } else {
      append(normalization?.operation, node, inputs, rank: ranks[value])
    }
  }

  private func handsOn(dropout node: Onnx_NodeProto, _ inputs: [String]) throws -> Bool {
    guard inputs.count > 2, !inputs[2].isEmpty else { return true }
    return try constants.value(inputs[2])?.integers == [0]
  }

  // MARK: - Element by element

  /// Add of two values; Add, Sub, Mul and Div with a constant per channel.
  private mutating func elementwise(_ node: Onnx_NodeProto, _ inputs: [String]) throws {
    guard inputs.count == 2 else { return append(nil, node, inputs) }
    let isConstant = inputs.map(constants.contains)
    guard isConstant != [false, false] else {
      return append(node.opType == "Add" ? .add : nil, node, inputs)
    }
    let (value, other) = isConstant[0] ? (inputs[1], inputs[0]) : (inputs[0], inputs[1])
    guard let constant = try channels(other, alongWith: value) else { return append(nil, node, inputs) }
    let normalization: Normalization? =
      switch (node.opType, isConstant[0]) {
      case ("Add", _): Normalization(scale: [1], bias: constant)
      case ("Sub", false): Normalization(scale: [1], bias: constant.map { -$0 })
      case ("Sub", true): Normalization(scale: [-1], bias: constant)
      case ("Mul", _): Normalization(scale: constant, bias: [0])
      case ("Div", false): Normalization(scale: constant.map { 1 / $0 }, bias: [0])
      default: nil
      }
    scale(normalization, node, inputs, of: value)
  }

  /// The values of a constant that meets a value's channels, one for each or one for all; nil where it meets others.
  private func channels(_ name: String, alongWith value: String) throws -> [Float]? {
    guard let constant = try constants.value(name), let floats = constant.floats, !floats.isEmpty else { return nil }
    if floats.count == 1 { return floats }
    let wide = constant.shape.indices.filter { constant.shape[$0] != 1 }
    // Shapes are aligned at the last dimension.
    guard wide.count == 1, let rank = ranks[value], constant.shape.count - wide[0] == rank - 1 else { return nil }
    return floats
  }

  // MARK: - Shapes

  /// How many elements a vector has that is computed from shapes; nil where the node makes another thing.
  private func lengthOfShape(_ node: Onnx_NodeProto, _ inputs: [String]) throws -> Int? {
    guard node.output.count == 1, let first = inputs.first else { return nil }
    if node.opType == "Shape" {
      return ranks[first].map { Self.range(node, rank: $0).count }
    }
    func length(_ name: String) throws -> Int? {
      try shapeLengths[name] ?? (constants.contains(name) ? constants.value(name)?.integers?.count : nil)
    }
    guard inputs.contains(where: { shapeLengths[$0] != nil }) else { return nil }
    switch node.opType {
    case "Cast", "Unsqueeze", "Squeeze", "Identity", "Reshape": return shapeLengths[first]
    case "Gather": return try length(inputs.last!)
    case "Slice":
      guard let count = shapeLengths[first] else { return nil }
      let ends = try inputs.count > 2 ? constants.value(inputs[2])?.integers : node.ints("ends")?.map { Int($0) }
      let starts = try inputs.count > 2 ? constants.value(inputs[1])?.integers : node.ints("starts")?.map { Int($0) }
      guard let start = starts?.first, let end = ends?.first else { return nil }
      return Self.range(start, end, rank: count).count
    case "Concat":
      let lengths = try inputs.compactMap(length)
      return lengths.count == inputs.count ? lengths.reduce(0, +) : nil
    case "Mul", "Add", "Sub", "Div": return try inputs.compactMap(length).max()
    default: return nil
    }
  }

  /// The part of a shape that Shape gives (`start` and `end` from opset 15 on).
  static func range(_ node: Onnx_NodeProto, rank: Int) -> Range<Int> {
    range(Int(node.int("start") ?? 0), node.int("end").map { Int($0) } ?? rank, rank: rank)
  }

  private static func range(_ start: Int, _ end: Int, rank: Int) -> Range<Int> {
    func place(_ index: Int) -> Int { min(max(index < 0 ? index + rank : index, 0), rank) }
    return place(start)..<max(place(start), place(end))
  }

  /// (N, C, H, W) to (N, C H W), as any two dimensions that a fully connected layer then fits.
  private mutating func flatten(_ node: Onnx_NodeProto, _ inputs: [String]) throws {
    let isFlat: Bool
    if node.opType == "Flatten" {
      isFlat = [1, -3].contains(node.int("axis") ?? 1)
    } else {
      let shape = inputs.count == 2 ? inputs[1] : ""
      isFlat = try (shapeLengths[shape] ?? constants.value(shape)?.integers?.count) == 2
    }
    guard isFlat, let rank = ranks[inputs[0]] else { return append(nil, node, inputs) }
    if rank == 2 { alias(node.output[0], inputs[0]) } else { append(.flatten, node, inputs, rank: 2) }
  }

  /// (N, C, 1, 1) to (N, C); and features for a while as (N, C, 1), as older exporters normalize them.
  private mutating func squeeze(_ node: Onnx_NodeProto, _ inputs: [String]) throws {
    let given =
      try node.ints("axes")?.map { Int($0) } ?? (inputs.count > 1 ? constants.value(inputs[1])?.integers : nil)
    let axes = given.map { Set($0.map { $0 < 0 ? $0 + 4 : $0 }) } ?? []
    switch (node.opType, ranks[inputs[0]]) {
    case ("Squeeze", 4?) where axes == [2, 3]: append(.flatten, node, inputs, rank: 2)
    case (_, 2?) where !axes.isEmpty && axes.isSubset(of: [2, 3]): alias(node.output[0], inputs[0])
    default: append(nil, node, inputs)
    }
  }
}
