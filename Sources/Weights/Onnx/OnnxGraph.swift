import NeuralNetwork

/// What an ONNX file computes, in the operations that networks here are made of, with their values.
///
/// Operators that hand on what they are given (Identity, Dropout, Cast) are gone, what constants make of constants is
/// computed, and what goes over the images before the first layer is kept apart.
struct OnnxGraph {
  struct Node {
    /// For messages: node 'conv1' (Conv).
    let title: String
    /// ONNX's operator.
    let type: String
    /// Nil for what no network here does.
    var operation: ElementaryGraph.Operation?
    /// Without constants.
    let inputs: [String]
    var output: String
    /// What was done to the images that the node reads.
    var images: ImageTransform?

    /// Multiplies by a weight: a convolution or a fully connected layer.
    var weight: ElementaryGraph.Weight? {
      switch operation {
      case .convolution(let weight, _, _, _, _), .fullyConnected(let weight, _): weight
      default: nil
      }
    }
  }

  let path: String
  /// In an order in which they can run.
  let nodes: [Node]
  /// The images' name among the values.
  let input: String
  /// Names of the values that the graph gives.
  let outputs: Set<String>
  /// S of its images 3 x S x S, where it says it.
  let inputSide: Int?
  /// Whether its images are pixels: whole numbers from 0 to 255.
  let takesPixels: Bool

  private let readersOf: [String: [Int]]

  init(_ file: OnnxFile) throws {
    path = file.path
    input = file.input.name
    let tensor = file.input.type.tensorType
    takesPixels = tensor.elemType == Int32(Onnx_TensorProto.DataType.uint8.rawValue)
    inputSide = try Self.side(tensor.shape, file)
    var reading = try OnnxReading(file)
    for node in file.nodes { try reading.read(node) }
    outputs = Set(file.outputs.map(reading.resolve))
    nodes = Self.joined(reading.nodes, outputs)
    readersOf = Self.readers(nodes)
  }

  func readers(of value: String) -> [Node] { (readersOf[value] ?? []).map { nodes[$0] } }

  private static func readers(_ nodes: [Node]) -> [String: [Int]] {
    var readers: [String: [Int]] = [:]
    for (index, node) in nodes.enumerated() {
      for input in Set(node.inputs) { readers[input, default: []].append(index) }
    }
    return readers
  }

  /// Of (N, 3, S, S); nil where it is left open.
  private static func side(_ shape: Onnx_TensorShapeProto, _ file: OnnxFile) throws -> Int? {
    guard !shape.dim.isEmpty else { return nil }
    let extents = shape.dim.map { $0.dimValue > 0 ? "\($0.dimValue)" : "?" }.joined(separator: " x ")
    let known = shape.dim.map { Int($0.dimValue) }
    guard known.count == 4, known[1] == 3 || known[1] <= 0, known[2] == known[3] || min(known[2], known[3]) <= 0 else {
      throw ModelFileError(
        path: file.path,
        reason:
          "takes '\(file.input.name.printableName)' of shape \(extents), and images N x 3 x S x S are needed: export it "
          + "with its channels first")
    }
    return known[2] > 0 && known[3] > 0 ? known[2] : nil
  }

  // MARK: - Joining

  /// Puts scales and shifts that follow one another into one normalization, and a constant that is added to a
  /// convolution or fully connected layer without bias into its bias.
  private static func joined(_ nodes: [Node], _ outputs: Set<String>) -> [Node] {
    let readers = readers(nodes)
    var result: [Node] = []
    var makers: [String: Int] = [:]
    for node in nodes {
      if let input = node.inputs.first, !outputs.contains(input), readers[input]?.count == 1, let maker = makers[input],
        let joined = join(result[maker], node)
      {
        result[maker].operation = joined
        result[maker].output = node.output
        makers[node.output] = maker
      } else {
        makers[node.output] = result.count
        result.append(node)
      }
    }
    return result
  }

  private static func join(_ first: Node, _ second: Node) -> ElementaryGraph.Operation? {
    guard let shift = second.operation.flatMap(Normalization.init) else { return nil }
    switch first.operation {
    case .batchNormalization?:
      return first.operation.flatMap(Normalization.init)?.then(shift)?.operation
    case .convolution(let weight, nil, let stride, let padding, let groups)? where second.addsConstant:
      guard let bias = shift.bias(of: weight.shape[0]) else { return nil }
      return .convolution(weight: weight, bias: bias, stride: stride, padding: padding, groups: groups)
    case .fullyConnected(let weight, nil)? where second.addsConstant:
      guard let bias = shift.bias(of: weight.shape[0]) else { return nil }
      return .fullyConnected(weight: weight, bias: bias)
    default: return nil
    }
  }
}

extension OnnxGraph.Node {
  fileprivate var addsConstant: Bool { inputs.count == 1 && (type == "Add" || type == "Sub") }
}

/// y = scale (x - mean) / sqrt(variance + epsilon) + bias, each with a value per channel or one for all.
struct Normalization {
  var scale: [Float]
  var bias: [Float]
  var mean: [Float] = [0]
  var variance: [Float] = [1]
  var epsilon = 0.0

  /// y = scale x + bias
  init(scale: [Float], bias: [Float]) { (self.scale, self.bias) = (scale, bias) }

  /// Nil for another operation.
  init?(_ operation: ElementaryGraph.Operation) {
    guard case .batchNormalization(let scale, let bias, let mean, let variance, let epsilon) = operation else {
      return nil
    }
    (self.scale, self.bias, self.mean, self.variance) = (scale.values, bias.values, mean.values, variance.values)
    self.epsilon = epsilon
  }

  var operation: ElementaryGraph.Operation {
    func weight(_ values: [Float]) -> ElementaryGraph.Weight { .init(name: "", shape: [values.count], values: values) }
    return .batchNormalization(
      scale: weight(scale), bias: weight(bias), mean: weight(mean), variance: weight(variance), epsilon: epsilon)
  }

  /// As y = factor x + shift.
  var factors: (factor: [Double], shift: [Double]) {
    let factor = Self.zip(scale, variance) { Double($0) / (Double($1) + epsilon).squareRoot() }
    let moved = Self.zip(factor, mean) { $0 * Double($1) }
    return (factor, Self.zip(bias, moved) { Double($0) - $1 })
  }

  /// Of 1 where all have the same values.
  var channels: Int { [scale, bias, mean, variance].map(\.count).max()! }

  /// Nil where the next is for another number of channels.
  func then(_ next: Normalization) -> Normalization? {
    guard channels == next.channels || channels == 1 || next.channels == 1 else { return nil }
    let (factor, shift) = next.factors
    var result = self
    result.scale = Self.zip(scale, factor) { Float(Double($0) * $1) }
    result.bias = Self.zip(Self.zip(bias, factor) { Double($0) * $1 }, shift) { Float($0 + $1) }
    return result
  }

  /// Of a constant that is added, for so many channels.
  fileprivate func bias(of channels: Int) -> ElementaryGraph.Weight? {
    guard bias.count == 1 || bias.count == channels else { return nil }
    let values = bias.count == 1 ? [Float](repeating: bias[0], count: channels) : bias
    return .init(name: "", shape: [values.count], values: values)
  }

  /// Element by element; one value stands for all.
  private static func zip<A, B, C>(_ a: [A], _ b: [B], _ operation: (A, B) -> C) -> [C] {
    (0..<max(a.count, b.count)).map { operation(a[a.count == 1 ? 0 : $0], b[b.count == 1 ? 0 : $0]) }
  }
}
