extension ElementaryGraph {
  /// Takes the layers of `graph` apart.
  ///
  /// - Parameter foldsFullyConnected: a batch normalization that alone reads a fully connected layer becomes part of it.
  init(_ graph: Graph, foldsFullyConnected: Bool) {
    // By the graph's numbers of values.
    var names = [Self.input]
    for (index, node) in graph.nodes.enumerated() {
      let inputs = node.inputs.map { names[$0] }
      var result: String
      switch node.layer {
      case let layer as Convolution:
        result = append(layer.name, Self.operation(layer), inputs[0])
      case let layer as FoldedConvolution:
        result = append(layer.convolution.name, Self.operation(layer), inputs[0])
        result = append(prelu: layer.slope, to: result)
      case let layer as BatchNormalization:
        if foldsFullyConnected, let linear = Self.linear(before: index, in: graph) {
          result = append(linear.name, Self.operation(linear, layer), names[graph.nodes[node.inputs[0] - 1].inputs[0]])
        } else {
          result = append(layer.name, Self.operation(layer), inputs[0])
        }
        result = append(prelu: layer.slope, to: result)
      case let layer as PReLU:
        result = append(prelu: layer.slope, to: inputs[0])
      case is Flatten:
        result = append(node.layer.name, .flatten, inputs[0])
      case is Dropout:
        result = inputs[0]
      case let layer as FullyConnected:
        let isTaken = foldsFullyConnected && Self.linear(before: index + 1, in: graph) === layer
        let operation = Operation.fullyConnected(
          weight: Self.weight(layer.weight), bias: layer.bias.map { Self.weight($0) })
        result = isTaken ? "" : append(layer.name, operation, inputs[0])
      default:
        preconditionFailure("\(node.layer.name) is a \(type(of: node.layer)), which nobody can take apart")
      }
      if inputs.count > 1 { result = append("\(node.layer.name).add", .add, result, inputs[1]) }
      names.append(result)
    }
  }

  /// The fully connected layer that a batch normalization at `index` reads, and nobody else.
  private static func linear(before index: Int, in graph: Graph) -> FullyConnected? {
    guard index < graph.nodes.count, graph.nodes[index].layer is BatchNormalization,
      let layer = graph.nodes[index].inputs[0] > 0 ? graph.nodes[graph.nodes[index].inputs[0] - 1].layer : nil,
      graph.nodes.count(where: { $0.inputs.contains(graph.nodes[index].inputs[0]) }) == 1
    else { return nil }
    return layer as? FullyConnected
  }

  /// The name of the value behind the PReLU, where there is one.
  private mutating func append(prelu slope: Parameter?, to input: String) -> String {
    guard let slope else { return input }
    return append(String(slope.name.dropLast(".weight".count)), .prelu(slope: Self.weight(slope)), input)
  }

  private static func weight(_ parameter: Parameter) -> Weight {
    Weight(name: parameter.name, shape: parameter.shape, values: Array(parameter.value))
  }

  private static func operation(_ layer: Convolution) -> Operation {
    let layer = layer.geometry
    return .convolution(
      weight: weight(layer.weight), bias: layer.bias.map { weight($0) }, stride: layer.stride, padding: layer.padding,
      groups: layer.groups)
  }

  private static func operation(_ layer: FoldedConvolution) -> Operation {
    let inner = layer.convolution
    var (a, b) = ([Float](repeating: 0, count: inner.outputs), [Float](repeating: 0, count: inner.outputs))
    a.withUnsafeMutableBufferPointer { a in
      b.withUnsafeMutableBufferPointer { b in layer.fold(into: a.baseAddress!, b.baseAddress!) }
    }
    return .convolution(
      weight: Weight(name: inner.weight.name, shape: inner.weight.shape, values: scaledRows(inner.weight, a)),
      bias: Weight(name: "\(inner.name).bias", shape: [inner.outputs], values: b), stride: inner.stride,
      padding: inner.padding, groups: inner.groups)
  }

  private static func operation(_ layer: BatchNormalization) -> Operation {
    .batchNormalization(
      scale: weight(layer.weight), bias: weight(layer.bias), mean: weight(layer.runningMean),
      variance: weight(layer.runningVariance), epsilon: BatchNormalization.epsilon)
  }

  /// y = BN(x w^T + b) as one fully connected layer.
  private static func operation(_ linear: FullyConnected, _ layer: BatchNormalization) -> Operation {
    let factors = (0..<linear.outputs).map { k in
      Double(layer.weight.value[k])
        / (Double(layer.runningVariance.value[k]) + BatchNormalization.epsilon).squareRoot()
    }
    let bias = factors.indices.map { k in
      let own = linear.bias.map { Double($0.value[k]) } ?? 0
      return Float(Double(layer.bias.value[k]) + factors[k] * (own - Double(layer.runningMean.value[k])))
    }
    let weight = scaledRows(linear.weight, factors.map { Float($0) })
    return .fullyConnected(
      weight: Weight(name: linear.weight.name, shape: linear.weight.shape, values: weight),
      bias: Weight(name: "\(linear.name).bias", shape: [linear.outputs], values: bias))
  }

  /// The parameter's values, row i of the first dimension times `factors[i]`.
  private static func scaledRows(_ parameter: Parameter, _ factors: [Float]) -> [Float] {
    let row = parameter.count / factors.count
    var values = Array(parameter.value)
    for (index, factor) in factors.enumerated() {
      for i in (index * row)..<((index + 1) * row) { values[i] *= factor }
    }
    return values
  }
}
