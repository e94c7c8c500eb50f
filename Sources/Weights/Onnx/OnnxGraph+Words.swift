import NeuralNetwork

extension ElementaryGraph.Operation {
  /// ONNX's name of it.
  var kind: String {
    switch self {
    case .convolution: "Conv"
    case .batchNormalization: "BatchNormalization"
    case .prelu: "PRelu"
    case .add: "Add"
    case .flatten: "Flatten"
    case .fullyConnected: "Gemm"
    }
  }

  /// For messages.
  var words: String {
    switch self {
    case .convolution(let weight, _, let stride, let padding, let groups):
      "a convolution of \(weight.shape[1] * groups) to \(weight.shape[0]) channels, \(weight.shape[2]) x \(weight.shape[3]), "
        + "stride \(stride), padding \(padding)" + (groups > 1 ? ", in \(groups) groups" : "")
    case .batchNormalization(let scale, _, _, _, _): "a batch normalization of \(scale.shape[0]) channels"
    case .prelu(let slope): "a PReLU of \(slope.shape[0]) channels"
    case .add: "the addition of a shortcut"
    case .flatten: "a flattening to features"
    case .fullyConnected(let weight, _): "a fully connected layer of \(weight.shape[1]) to \(weight.shape[0])"
    }
  }
}

extension OnnxGraph {
  /// Whether `output` is the embedding times a number for each row, such as 1 over its length: then its cosines are the
  /// embedding's.
  func scalesLength(of embedding: String, into output: String) -> Bool {
    let makers = Dictionary(nodes.map { ($0.output, $0) }) { first, _ in first }
    guard let last = makers[output] else { return false }
    if last.type == "LpNormalization" { return last.inputs == [embedding] }
    guard last.type == "Div", last.operation == nil, last.inputs.count == 2, last.inputs[0] == embedding else {
      return false
    }
    // All that goes into the length comes from the embedding, over a sum of its squares.
    var (todo, seen, isReduced) = ([last.inputs[1]], Set<String>(), false)
    while let value = todo.popLast() {
      guard value != embedding, seen.insert(value).inserted else { continue }
      guard let maker = makers[value] else { return false }
      isReduced = isReduced || maker.type.hasPrefix("Reduce")
      guard Self.lengthOperators.contains(maker.type) else { return false }
      todo += maker.inputs
    }
    return isReduced
  }

  private static let lengthOperators: Set = [
    "Abs", "Add", "Clip", "Expand", "Max", "Mul", "Pow", "ReduceL2", "ReduceSum", "ReduceSumSquare", "Sqrt",
  ]
}
