/// SphereNet-20 (Liu et al. 2017, table 2; the 20-layer network of the CosFace paper): residual units of two 3 x 3
/// convolutions with bias and PReLU, no batch normalization, so that nothing depends on how a batch is divided.
struct SphereNet20 {
  let embeddingWidth: Int
  let inputSide: Int

  func build(_ graph: inout Graph) {
    var x = graph.input
    var inputs = 3
    for (stage, (units, outputs)) in zip([1, 2, 4, 1], [64, 128, 256, 512]).enumerated() {
      x = layer(&graph, x, "\(stage + 1)_1", inputs, outputs, stride: 2)
      for unit in 0..<units {
        let inner = layer(&graph, x, "\(stage + 1)_\(2 * unit + 2)", outputs, outputs)
        x = layer(&graph, inner, "\(stage + 1)_\(2 * unit + 3)", outputs, outputs, residual: x)
      }
      inputs = outputs
    }
    x = graph.add(Flatten("flatten"), x)
    let count = graph.shape(of: x).count
    _ = graph.add(
      FullyConnected(
        "fc5", inputs: count, outputs: embeddingWidth, bias: .constant(0),
        initializer: .xavierNormal(fanIn: count, fanOut: embeddingWidth)), x)
  }

  /// Convolution and PReLU; a residual is added after the PReLU. The units' convolutions start small (0.01), as the
  /// authors' do.
  private func layer(
    _ graph: inout Graph, _ input: Graph.Value, _ name: String, _ inputs: Int, _ outputs: Int, stride: Int = 1,
    residual: Graph.Value? = nil
  ) -> Graph.Value {
    let initializer: Initializer =
      stride == 2 ? .xavierNormal(fanIn: inputs * 9, fanOut: outputs * 9) : .normal(standardDeviation: 0.01)
    let x = graph.add(
      Convolution(
        "conv\(name)", inputs: inputs, outputs: outputs, kernel: 3, stride: stride, padding: 1, bias: true,
        initializer: initializer), input)
    guard let residual else { return graph.add(PReLU("relu\(name)", channels: outputs), x) }
    return graph.add(PReLU("relu\(name)", channels: outputs, residual: true), x, residual)
  }
}
