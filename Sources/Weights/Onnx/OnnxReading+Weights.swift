import NeuralNetwork

// Operators with weights. Nil for what no network here does, such as another stride in each direction.
extension OnnxReading {
  /// x (N, C, H, W)   w (O, C / G, k, k)   b (O)
  ///
  /// ONNX: Conv.
  func convolution(_ node: Onnx_NodeProto, _ inputs: [String]) throws -> ElementaryGraph.Operation? {
    guard inputs.count >= 2, let weight = try weight(inputs[1], node), weight.shape.count == 4,
      let bias = try bias(inputs.count > 2 ? inputs[2] : "", weight.shape[0], node)
    else { return nil }
    let strides = node.ints("strides") ?? [1, 1]
    let groups = node.int("group") ?? 1
    let auto = node.attribute.first { $0.name == "auto_pad" }.map { String(decoding: $0.s, as: UTF8.self) } ?? "NOTSET"
    let pads: [Int64]
    switch auto {
    case "NOTSET", "": pads = node.ints("pads") ?? [0, 0, 0, 0]
    case "VALID": pads = [0, 0, 0, 0]
    // With a stride it may be more on one side than on the other.
    default:
      pads =
        strides == [1, 1] && weight.shape[2] % 2 == 1 ? Array(repeating: Int64(weight.shape[2] / 2), count: 4) : []
    }
    guard weight.shape[2] == weight.shape[3], strides.count == 2, strides[0] == strides[1], pads.count == 4,
      Set(pads).count == 1, Set(node.ints("dilations") ?? [1]) == [1],
      ([groups, strides[0]] + weight.shape.map { Int64($0) }).allSatisfy((1...Self.maximumExtent).contains),
      (0...Self.maximumExtent).contains(pads[0])
    else { return nil }
    return .convolution(
      weight: weight, bias: bias.values, stride: Int(strides[0]), padding: Int(pads[0]), groups: Int(groups))
  }

  /// Channels, strides and the like of any network here are less.
  private static let maximumExtent: Int64 = 1 << 20

  /// y = alpha x w^T + beta b   x (N, D)   w (K, D), or (D, K) without transB   b (K)
  ///
  /// ONNX: Gemm.
  func gemm(_ node: Onnx_NodeProto, _ inputs: [String]) throws -> ElementaryGraph.Operation? {
    guard inputs.count >= 2, node.int("transA") ?? 0 == 0,
      let weight = try weight(inputs[1], node, isTransposed: node.int("transB") ?? 0 == 0), weight.shape.count == 2,
      let bias = try bias(inputs.count > 2 ? inputs[2] : "", weight.shape[0], node)
    else { return nil }
    return .fullyConnected(
      weight: Self.scaled(weight, by: node.float("alpha") ?? 1),
      bias: bias.values.map { Self.scaled($0, by: node.float("beta") ?? 1) })
  }

  /// y = x w   x (N, D)   w (D, K)
  ///
  /// ONNX: MatMul.
  func product(_ node: Onnx_NodeProto, _ inputs: [String]) throws -> ElementaryGraph.Operation? {
    guard inputs.count == 2, let weight = try weight(inputs[1], node, isTransposed: true), weight.shape.count == 2
    else {
      return nil
    }
    return .fullyConnected(weight: weight, bias: nil)
  }

  /// Slopes of shape (C), (C, 1, 1), (1, C, 1, 1), or one for all channels.
  ///
  /// ONNX: PRelu.
  func prelu(_ node: Onnx_NodeProto, _ inputs: [String]) throws -> ElementaryGraph.Operation? {
    guard inputs.count == 2, let slope = try weight(inputs[1], node), slope.shape.count(where: { $0 != 1 }) <= 1 else {
      return nil
    }
    return .prelu(slope: .init(name: slope.name, shape: [slope.values.count], values: slope.values))
  }

  /// All (C): scale, bias, mean, variance. `spatial` 0 with one value per channel is MXNet's way to say the same.
  ///
  /// ONNX: BatchNormalization in evaluation.
  func normalization(_ node: Onnx_NodeProto, _ inputs: [String]) throws -> Normalization? {
    guard inputs.count == 5, node.int("training_mode") ?? 0 == 0 else { return nil }
    let given = try inputs[1...].map { try weight($0, node) }
    let weights = given.compactMap { $0 }
    guard weights.count == 4, Set(weights.map(\.shape)).count == 1, weights[0].shape.count == 1,
      weights[0].shape[0] > 0
    else { return nil }
    var result = Normalization(scale: weights[0].values, bias: weights[1].values)
    (result.mean, result.variance) = (weights[2].values, weights[3].values)
    result.epsilon = Double(node.float("epsilon") ?? 1e-5)
    return result
  }

  // MARK: - Tensors

  /// - Throws: `ModelFileError` where the node's weight is no constant.
  private func weight(
    _ name: String, _ node: Onnx_NodeProto, isTransposed: Bool = false
  ) throws -> ElementaryGraph.Weight? {
    guard constants.contains(name) else {
      // Of two values that are multiplied none is a weight.
      if node.opType == "MatMul" || node.opType == "Gemm" { return nil }
      throw ModelFileError(
        path: file.path,
        reason:
          "computes a weight of \(node.title), '\(name.printableName)', in a way that is not read: export the model with "
          + "its constants folded, or give the state dict")
    }
    guard let constant = try constants.value(name), let values = constant.floats else { return nil }
    guard isTransposed, constant.shape.count == 2 else {
      return .init(name: name, shape: constant.shape, values: values)
    }
    let (rows, columns) = (constant.shape[0], constant.shape[1])
    return .init(name: name, shape: [columns, rows], values: OnnxConstants.transposed(values, rows, columns))
  }

  private struct Bias {
    let values: ElementaryGraph.Weight?
  }

  /// For so many outputs, where there is one; nil for one of another shape.
  private func bias(_ name: String, _ count: Int, _ node: Onnx_NodeProto) throws -> Bias? {
    guard !name.isEmpty else { return Bias(values: nil) }
    guard let given = try weight(name, node), given.values.count == count || given.values.count == 1 else { return nil }
    let values = given.values.count == count ? given.values : Array(repeating: given.values[0], count: count)
    return Bias(values: .init(name: name, shape: [count], values: values))
  }

  private static func scaled(_ weight: ElementaryGraph.Weight, by factor: Float) -> ElementaryGraph.Weight {
    factor == 1 ? weight : .init(name: weight.name, shape: weight.shape, values: weight.values.map { $0 * factor })
  }
}
