import NeuralNetwork

/// A graph laid over a network, operation by operation from the images on: the network's weights, or where it is another.
///
/// An operation is found as the one that reads the value and is of the right kind and shape; names do not count. A batch
/// normalization that the graph has not was folded into the layer before it, or does nothing: then it becomes an identity,
/// weight 1, mean 0, variance 1 - epsilon, and takes the layer's bias where the network's layer has none.
struct OnnxMatch {
  /// By the network's names.
  private(set) var weights: [String: [Float]] = [:]
  /// What the graph does to its images, before the first layer.
  private(set) var images = ImageTransform()
  /// Name of the weight that meets the images.
  private(set) var firstWeight = ""
  /// k^2 of that weight (O, 3, k, k).
  private(set) var firstArea = 1
  /// Batch normalizations that the graph has not.
  private(set) var foldedCount = 0
  /// Operations that were found.
  private(set) var steps = 0
  /// For a person: the first operation that is not the network's; nil where all are.
  private(set) var difference: String?
  /// Whether the graph goes on to make embeddings of length 1.
  private(set) var normalizesLength = false

  private let graph: OnnxGraph
  /// Where each value of the network is in the graph.
  private var places: [String: String]
  /// Biases of layers that have none in the network, by the layers' names.
  private var spareBiases: [String: [Float]] = [:]

  init(_ graph: OnnxGraph, _ network: ElementaryGraph) {
    self.graph = graph
    places = [ElementaryGraph.input: graph.input]
    for node in network.nodes {
      guard let operation = find(node) else { return }
      take(operation, node)
    }
    matchEnd(places[network.output]!)
  }

  // MARK: - Finding

  private enum Found {
    case node(OnnxGraph.Node)
    /// A batch normalization that is none.
    case identity
  }

  private mutating func find(_ node: ElementaryGraph.Node) -> Found? {
    let inputs = node.inputs.map { places[$0]! }
    let readers = graph.readers(of: inputs[0])
    if let reader = readers.first(where: { Self.matches($0, node.operation) && Set($0.inputs) == Set(inputs) }) {
      return .node(reader)
    }
    if case .batchNormalization = node.operation { return .identity }
    let expected = "\(node.operation.words) was expected (\(node.name))"
    // One of the same kind says more than another that reads the value, too.
    if let reader = readers.first(where: { $0.operation?.kind == node.operation.kind }) ?? readers.first {
      let own =
        Self.matches(reader, node.operation)
        ? ", which reads another value" : reader.operation.map { ": \($0.words)" } ?? ""
      difference = "\(reader.title)\(own), where \(expected)"
    } else {
      difference = "its end, the value '\(inputs[0].printableName)', where \(expected)"
    }
    return nil
  }

  private static func matches(_ node: OnnxGraph.Node, _ operation: ElementaryGraph.Operation) -> Bool {
    switch (node.operation, operation) {
    case (
      .convolution(let weight, _, let stride, let padding, let groups)?,
      .convolution(let other, _, let otherStride, let otherPadding, let otherGroups)
    ):
      weight.shape == other.shape && (stride, padding, groups) == (otherStride, otherPadding, otherGroups)
    case (.fullyConnected(let weight, _)?, .fullyConnected(let other, _)): weight.shape == other.shape
    case (let own?, .batchNormalization(let other, _, _, _, _)):
      Normalization(own).map { [1, other.shape[0]].contains($0.channels) } ?? false
    case (.prelu(let slope)?, .prelu(let other)): slope.values.count == 1 || slope.values.count == other.shape[0]
    case (.add?, .add), (.flatten?, .flatten): true
    default: false
    }
  }

  // MARK: - Taking

  private mutating func take(_ found: Found, _ node: ElementaryGraph.Node) {
    switch found {
    case .identity:
      places[node.name] = places[node.inputs[0]]!
      foldedCount += 1
      takeNormalization(Normalization(scale: [1], bias: spareBiases[node.inputs[0]] ?? [0]), node)
    case .node(let own):
      places[node.name] = own.output
      steps += 1
      if case .batchNormalization = node.operation, var normalization = own.operation.flatMap(Normalization.init) {
        if let bias = spareBiases[node.inputs[0]] { normalization.subtractFromMean(bias) }
        takeNormalization(normalization, node)
      } else {
        takeWeights(own, node)
      }
    }
  }

  private mutating func takeWeights(_ own: OnnxGraph.Node, _ node: ElementaryGraph.Node) {
    switch (own.operation, node.operation) {
    case (.convolution(let weight, let bias, _, _, _)?, .convolution(let named, let namedBias, _, _, _)),
      (.fullyConnected(let weight, let bias)?, .fullyConnected(let named, let namedBias)):
      weights[named.name] = weight.values
      if let namedBias {
        weights[namedBias.name] = bias?.values ?? Array(repeating: 0, count: namedBias.shape[0])
      } else {
        spareBiases[node.name] = bias?.values
      }
      if node.inputs == [ElementaryGraph.input] {
        (images, firstWeight) = (own.images ?? images, named.name)
        firstArea = named.shape[2...].reduce(1, *)
      }
    case (.prelu(let slope)?, .prelu(let named)): weights[named.name] = Self.spread(slope.values, named.shape[0])
    default: break
    }
  }

  /// With the epsilon of the layers here.
  private mutating func takeNormalization(_ given: Normalization, _ node: ElementaryGraph.Node) {
    guard case .batchNormalization(let scale, let bias, let mean, let variance, let epsilon) = node.operation else {
      return
    }
    let count = scale.shape[0]
    let given = given.with(epsilon: epsilon)
    for (named, values) in [
      (scale, given.scale), (bias, given.bias), (mean, given.mean), (variance, given.variance),
    ] { weights[named.name] = Self.spread(values, count) }
  }

  private static func spread(_ values: [Float], _ count: Int) -> [Float] {
    values.count == 1 ? Array(repeating: values[0], count: count) : values
  }

  // MARK: - The end

  private mutating func matchEnd(_ embedding: String) {
    if graph.outputs.contains(embedding) { return }
    normalizesLength = graph.outputs.contains { graph.scalesLength(of: embedding, into: $0) }
    guard !normalizesLength else { return }
    let next = graph.readers(of: embedding).first?.title ?? "the value '\(embedding.printableName)'"
    difference = "\(next), where the embedding's end was expected"
  }
}

extension Normalization {
  fileprivate mutating func subtractFromMean(_ bias: [Float]) {
    mean = bias.indices.map { mean[mean.count == 1 ? 0 : $0] - bias[$0] }
  }

  /// The same function, where sqrt(variance + epsilon) has another epsilon.
  fileprivate func with(epsilon other: Double) -> Normalization {
    var result = self
    let variances = variance.map { Double($0) + epsilon - other }
    result.variance = variances.map { Float(max($0, 0)) }
    result.epsilon = other
    // A variance cannot be less than 0: what is missing goes into the weight.
    if variances.contains(where: { $0 < 0 }) {
      result.scale = (0..<max(scale.count, variances.count)).map { index in
        let (scale, variance) = (scale[scale.count == 1 ? 0 : index], variances[variances.count == 1 ? 0 : index])
        return variance < 0 ? Float(Double(scale) * (other / (variance + other)).squareRoot()) : scale
      }
    }
    return result
  }
}
