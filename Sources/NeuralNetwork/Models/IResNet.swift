/// IResNet (Duta et al. 2020, as arcface_torch's `iresnet*` builds it): batch norm first in each residual block.
struct IResNet {
  let blocks: [Int]
  let embeddingWidth: Int
  let inputSide: Int
  let dropout: Double

  func build(_ graph: inout Graph) {
    var x = graph.add(convolution("conv1", 3, 64, kernel: 3), graph.input)
    x = graph.add(BatchNormalization("bn1", channels: 64, prelu: "prelu"), x)
    var channels = 64
    for (index, (count, outputs)) in zip(blocks, [64, 128, 256, 512]).enumerated() {
      for block in 0..<count {
        x = residual(&graph, x, "layer\(index + 1).\(block)", channels, outputs, stride: block == 0 ? 2 : 1)
        channels = outputs
      }
    }
    x = graph.add(BatchNormalization("bn2", channels: 512), x)
    x = graph.add(Flatten("flatten"), x)
    if dropout > 0 { x = graph.add(Dropout("dropout", probability: dropout), x) }
    let inputs = graph.shape(of: x).count
    x = graph.add(
      FullyConnected(
        "fc", inputs: inputs, outputs: embeddingWidth, bias: .uniformFanIn(inputs), initializer: .uniformFanIn(inputs)),
      x)
    _ = graph.add(BatchNormalization("features", channels: embeddingWidth, trainsWeight: false), x)
  }

  /// y = bn3(conv2(prelu(bn2(conv1(bn1(x)))))) + x, the shortcut through a 1 x 1 convolution where the shape changes.
  private func residual(
    _ graph: inout Graph, _ input: Graph.Value, _ name: String, _ inputs: Int, _ outputs: Int, stride: Int
  ) -> Graph.Value {
    var x = graph.add(BatchNormalization("\(name).bn1", channels: inputs), input)
    x = graph.add(convolution("\(name).conv1", inputs, outputs, kernel: 3), x)
    x = graph.add(BatchNormalization("\(name).bn2", channels: outputs, prelu: "\(name).prelu"), x)
    x = graph.add(convolution("\(name).conv2", outputs, outputs, kernel: 3, stride: stride), x)
    var shortcut = input
    if stride != 1 || inputs != outputs {
      shortcut = graph.add(convolution("\(name).downsample.0", inputs, outputs, kernel: 1, stride: stride), input)
      shortcut = graph.add(BatchNormalization("\(name).downsample.1", channels: outputs), shortcut)
    }
    return graph.add(BatchNormalization("\(name).bn3", channels: outputs, residual: true), x, shortcut)
  }

  private func convolution(_ name: String, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1) -> Convolution {
    Convolution(
      name, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: kernel / 2,
      initializer: .normal(standardDeviation: 0.1))
  }
}
