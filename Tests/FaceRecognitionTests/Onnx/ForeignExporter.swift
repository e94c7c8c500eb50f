import NeuralNetwork

/// Writes a network as other programs' exporters do: each its own way to say one thing.
struct ForeignExporter {
  enum Flattening { case flatten, reshape, reshapeByShape, squeeze }
  enum Slopes { case perChannel, broadcast, unsqueezed, reshaped }
  enum Linear { case gemm, gemmWithoutTransposition, product, productOfTransposed }
  enum Normalizing { case batchNormalization, multiplyAdd }
  enum Preprocessing { case none, mxnet, unitRange, unfitting }

  var folds = false
  var flattening = Flattening.flatten
  var slopes = Slopes.broadcast
  var linear = Linear.gemm
  var normalizing = Normalizing.batchNormalization
  var preprocessing = Preprocessing.none
  var epsilon: Float = 1e-5
  /// Identity and Dropout between the layers, biases of zeros made by Expand, shortcuts first in additions.
  var isWordy = false
  var makesUnitLength = false
  var weightsAreNodes = false

  /// PyTorch's `dynamo=False` without folding, and with it; `dynamo=True` without, and with; MXNet's; others.
  static let known: [(name: String, exporter: ForeignExporter)] = [
    ("TorchScript", .init(slopes: .unsqueezed, linear: .productOfTransposed)),
    ("TorchScript, folded", .init(folds: true)),
    ("dynamo", .init(flattening: .reshapeByShape, slopes: .reshaped, isWordy: true)),
    ("dynamo, folded", .init(folds: true, flattening: .reshape)),
    ("MXNet", .init(slopes: .perChannel, preprocessing: .mxnet, epsilon: 2e-5)),
    (
      "others",
      .init(
        slopes: .reshaped, linear: .product, normalizing: .multiplyAdd, preprocessing: .unitRange,
        makesUnitLength: true,
        weightsAreNodes: true)
    ),
    ("others, folded", .init(folds: true, linear: .gemmWithoutTransposition, isWordy: true)),
  ]

  func export(_ network: Network) -> OnnxModelDraft {
    var writer = Writer(exporter: self, side: network.inputShape.height)
    writer.write(network.elementaryGraph(folded: folds))
    return writer.model
  }
}

private struct Writer {
  let exporter: ForeignExporter
  private(set) var model = OnnxModelDraft()
  private var names: [String: String] = [:]
  private var count = 0

  init(exporter: ForeignExporter, side: Int) {
    self.exporter = exporter
    model.inputShape = [nil, 3, side, side]
  }

  mutating func write(_ graph: ElementaryGraph) {
    names[ElementaryGraph.input] = preprocess()
    for node in graph.nodes {
      var output = write(node)
      if exporter.isWordy {
        output = add("Identity", [output])
        if case .batchNormalization = node.operation { output = add("Dropout", [output]) }
      }
      names[node.name] = output
    }
    model.output = names[graph.output]!
    if exporter.makesUnitLength {
      let length = add("ReduceL2", [model.output], [("axes", .integers([1])), ("keepdims", .integer(1))])
      model.output = add("Div", [model.output, length])
    }
    if exporter.weightsAreNodes {
      let isWeight = { (tensor: OnnxTensorDraft) in tensor.shape.count == 4 && tensor.shape[0] > 1 }
      let nodes = model.tensors.filter(isWeight).map {
        OnnxNodeDraft(name: "", type: "Constant", inputs: [], outputs: [$0.name], attributes: [("value", .tensor($0))])
      }
      model.nodes = nodes + model.nodes
      model.tensors.removeAll(where: isWeight)
    }
  }

  private mutating func preprocess() -> String {
    switch exporter.preprocessing {
    case .none: return model.input
    case .mxnet:
      let middle = add("Sub", [add("Identity", [model.input]), constant([1], [127.5])])
      return add("Mul", [middle, constant([1], [0.0078125])])
    case .unitRange:
      let middle = add("Sub", [model.input, constant([1, 3, 1, 1], [0.5, 0.5, 0.5])])
      return add("Div", [middle, constant([3, 1, 1], [0.5, 0.5, 0.5])])
    case .unfitting: return add("Sub", [model.input, constant([1, 3, 1, 1], [120, 110, 100])])
    }
  }

  private mutating func write(_ node: ElementaryGraph.Node) -> String {
    let inputs = node.inputs.map { names[$0]! }
    switch node.operation {
    case .convolution(let weight, let bias, let stride, let padding, let groups):
      var all = inputs + [constant(weight.shape, weight.values)]
      if let bias {
        all.append(constant(bias.shape, bias.values))
      } else if exporter.isWordy {
        let shape = add("Shape", [all[1]], [("start", .integer(0)), ("end", .integer(1))])
        all.append(add("Expand", [add("CastLike", [constant([], [0]), model.input]), shape]))
      }
      return add(
        "Conv", all,
        [
          ("strides", .integers([stride, stride])), ("pads", .integers([padding, padding, padding, padding])),
          ("group", .integer(groups)),
        ])
    case .batchNormalization(let scale, let bias, let mean, let variance, let own):
      return normalize(inputs[0], scale, bias, mean, variance, own)
    case .prelu(let slope): return add("PRelu", inputs + [slopes(slope)])
    case .add: return add("Add", exporter.isWordy ? inputs.reversed() : inputs)
    case .flatten: return flatten(inputs[0])
    case .fullyConnected(let weight, let bias): return multiply(inputs[0], weight, bias)
    }
  }

  private mutating func normalize(
    _ input: String, _ scale: ElementaryGraph.Weight, _ bias: ElementaryGraph.Weight, _ mean: ElementaryGraph.Weight,
    _ variance: ElementaryGraph.Weight, _ own: Double
  ) -> String {
    guard exporter.normalizing == .multiplyAdd else {
      // The same function by another epsilon.
      let variances = variance.values.map { Float(Double($0) + own - Double(exporter.epsilon)) }
      let weights = [scale.values, bias.values, mean.values, variances].map { constant([$0.count], $0) }
      return add("BatchNormalization", [input] + weights, [("epsilon", .float(exporter.epsilon))])
    }
    let factors = zip(scale.values, variance.values).map { Float(Double($0) / (Double($1) + own).squareRoot()) }
    let shifts = factors.indices.map { bias.values[$0] - factors[$0] * mean.values[$0] }
    // The last one is of features.
    let shape =
      names["flatten"] == nil && names["features.layers.1"] == nil ? [factors.count, 1, 1] : [1, factors.count]
    return add("Add", [constant(shape, shifts), add("Mul", [input, constant(shape, factors)])])
  }

  private mutating func slopes(_ slope: ElementaryGraph.Weight) -> String {
    let count = slope.values.count
    switch exporter.slopes {
    case .perChannel: return constant([count], slope.values)
    case .broadcast: return constant([count, 1, 1], slope.values)
    case .unsqueezed:
      return add("Unsqueeze", [constant([count], slope.values), constant([2], [1, 2], .integers)])
    case .reshaped:
      return add("Reshape", [constant([count], slope.values), constant([4], [1, -1, 1, 1], .integers)])
    }
  }

  private mutating func flatten(_ input: String) -> String {
    switch exporter.flattening {
    case .flatten: return add("Flatten", [input])
    case .squeeze: return add("Squeeze", [input, constant([2], [2, 3], .integers)])
    case .reshape: return add("Reshape", [input, constant([2], [0, -1], .integers)])
    case .reshapeByShape:
      let batch = add("Gather", [add("Shape", [input]), constant([], [0], .integers)], [("axis", .integer(0))])
      let row = add("Unsqueeze", [batch, constant([1], [0], .integers)])
      return add(
        "Reshape", [input, add("Concat", [row, constant([1], [-1], .integers)], [("axis", .integer(0))])])
    }
  }

  private mutating func multiply(
    _ input: String, _ weight: ElementaryGraph.Weight, _ bias: ElementaryGraph.Weight?
  ) -> String {
    let (rows, columns) = (weight.shape[0], weight.shape[1])
    let biases = bias.map { [constant($0.shape, $0.values)] } ?? []
    func transposed() -> [Float] { (0..<columns).flatMap { c in (0..<rows).map { weight.values[$0 * columns + c] } } }
    switch exporter.linear {
    case .gemm:
      return add("Gemm", [input, constant(weight.shape, weight.values)] + biases, [("transB", .integer(1))])
    case .gemmWithoutTransposition: return add("Gemm", [input, constant([columns, rows], transposed())] + biases)
    case .product, .productOfTransposed:
      let matrix =
        exporter.linear == .product
        ? constant([columns, rows], transposed())
        : add("Transpose", [constant(weight.shape, weight.values)], [("perm", .integers([1, 0]))])
      let product = add("MatMul", [input, matrix])
      return biases.isEmpty ? product : add("Add", [biases[0], product])
    }
  }

  private mutating func add(
    _ type: String, _ inputs: [String], _ attributes: [(String, OnnxNodeDraft.Attribute)] = []
  ) -> String {
    count += 1
    model.nodes.append(
      OnnxNodeDraft(name: "n\(count)", type: type, inputs: inputs, outputs: ["v\(count)"], attributes: attributes))
    return "v\(count)"
  }

  private mutating func constant(_ shape: [Int], _ values: [Float], _ form: OnnxTensorDraft.Form = .raw) -> String {
    count += 1
    model.tensors.append(OnnxTensorDraft(name: "t\(count)", shape: shape, values: values, form: form))
    return "t\(count)"
  }
}
