/// MobileFaceNet (Chen et al. 2018, table 1) as arcface_torch's `mbf` builds it; width 1 is the paper's, 2 arcface_torch's.
struct MobileFaceNet {
  let embeddingWidth: Int
  let width: Int
  let inputSide: Int

  func build(_ graph: inout Graph) {
    let (a, b) = (64 * width, 128 * width)
    var x = graph.input
    x = block(&graph, x, "layers.0.layers", 3, a, kernel: 3, stride: 2, padding: 1)
    x = block(&graph, x, "layers.1.layers", a, a, kernel: 3, padding: 1, groups: 64)
    x = depthwise(&graph, x, "layers.2.layers", a, a, groups: 128)
    x = stage(&graph, x, "layers.3.layers", a, count: 4, groups: 128)
    x = depthwise(&graph, x, "layers.4.layers", a, b, groups: 256)
    x = stage(&graph, x, "layers.5.layers", b, count: 6, groups: 256)
    x = depthwise(&graph, x, "layers.6.layers", b, b, groups: 512)
    x = stage(&graph, x, "layers.7.layers", b, count: 2, groups: 256)
    x = block(&graph, x, "conv_sep.layers", b, 512)
    x = linear(&graph, x, "features.layers.0.layers", 512, 512, kernel: inputSide / 16, groups: 512)
    x = graph.add(Flatten("features.layers.1"), x)
    x = graph.add(
      FullyConnected(
        "features.layers.2", inputs: 512, outputs: embeddingWidth, initializer: .kaimingNormal(fan: embeddingWidth)), x)
    _ = graph.add(BatchNormalization("features.layers.3", channels: embeddingWidth), x)
  }

  private func stage(
    _ graph: inout Graph, _ input: Graph.Value, _ name: String, _ channels: Int, count: Int, groups: Int
  )
    -> Graph.Value
  {
    (0..<count).reduce(input) { x, index in
      depthwise(&graph, x, "\(name).\(index).layers", channels, channels, groups: groups, stride: 1, residual: true)
    }
  }

  /// The inverted bottleneck: 1 x 1 to `groups` channels, 3 x 3 depthwise, 1 x 1 back without PReLU.
  private func depthwise(
    _ graph: inout Graph, _ input: Graph.Value, _ name: String, _ inputs: Int, _ outputs: Int, groups: Int,
    stride: Int = 2, residual: Bool = false
  ) -> Graph.Value {
    var x = block(&graph, input, "\(name).0.layers", inputs, groups)
    x = block(&graph, x, "\(name).1.layers", groups, groups, kernel: 3, stride: stride, padding: 1, groups: groups)
    return linear(&graph, x, "\(name).2.layers", groups, outputs, residual: residual ? input : nil)
  }

  /// Convolution, batch normalization, PReLU.
  private func block(
    _ graph: inout Graph, _ input: Graph.Value, _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int = 1,
    stride: Int = 1, padding: Int = 0, groups: Int = 1
  ) -> Graph.Value {
    let x = graph.add(
      convolution(name, inputs, outputs, kernel: kernel, stride: stride, padding: padding, groups: groups), input)
    return graph.add(BatchNormalization("\(name).1", channels: outputs, prelu: "\(name).2"), x)
  }

  /// Convolution and batch normalization, and the block's input added where there is a residual.
  private func linear(
    _ graph: inout Graph, _ input: Graph.Value, _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int = 1,
    groups: Int = 1, residual: Graph.Value? = nil
  ) -> Graph.Value {
    let x = graph.add(convolution(name, inputs, outputs, kernel: kernel, groups: groups), input)
    guard let residual else { return graph.add(BatchNormalization("\(name).1", channels: outputs), x) }
    return graph.add(BatchNormalization("\(name).1", channels: outputs, residual: true), x, residual)
  }

  private func convolution(
    _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, groups: Int
  ) -> Convolution {
    Convolution(
      "\(name).0", inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: padding, groups: groups,
      initializer: .kaimingNormal(fan: outputs * kernel * kernel))
  }
}
