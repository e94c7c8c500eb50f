import Testing

import NeuralNetwork

/// Gradients of every layer by central differences.
///
/// Each graph starts with a 1 x 1 convolution of the plain input, so that the gradient which the tested layer writes for
/// its input is checked too: it is what that convolution's weight gradient is made of.
@Suite struct LayerGradientTests {
  private static func check(
    side: Int = 6, batch: Int = 3, channels: Int = 16, sourceLocation: SourceLocation = #_sourceLocation,
    _ build: (inout Graph, Graph.Value) -> Void
  ) {
    var graph = Graph(input: .image(3, side, side, .plain))
    let stem = graph.add(
      Convolution("stem", inputs: 3, outputs: channels, kernel: 1, initializer: .constant(0)), graph.input)
    build(&graph, stem)
    var check = GradientCheck(graph, batch: batch)
    check.run(sourceLocation: sourceLocation)
  }

  private static func convolution(
    _ inputs: Int, _ outputs: Int, _ kernel: Int, stride: Int = 1, padding: Int = 0, groups: Int = 1, bias: Bool = false
  ) -> Convolution {
    Convolution(
      "conv", inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: padding, groups: groups,
      bias: bias, initializer: .constant(0))
  }

  @Test(arguments: [1, 2]) func dense3x3(stride: Int) {
    Self.check { $0.add(Self.convolution(16, 32, 3, stride: stride, padding: 1, bias: true), $1).ignore() }
  }

  @Test(arguments: [1, 2]) func pointwise(stride: Int) {
    Self.check { $0.add(Self.convolution(16, 16, 1, stride: stride), $1).ignore() }
  }

  @Test func kernel7x7() {
    Self.check(side: 8) { $0.add(Self.convolution(16, 16, 7, padding: 3), $1).ignore() }
  }

  /// Sides with and without rows and columns of four outputs, and of one more than even.
  @Test(arguments: [1, 2], [1, 2, 3, 6, 11, 12]) func depthwise(stride: Int, side: Int) {
    Self.check(side: side) { $0.add(Self.convolution(16, 16, 3, stride: stride, padding: 1, groups: 16), $1).ignore() }
  }

  @Test func depthwiseOverTheWholeImage() {
    Self.check(side: 7) { $0.add(Self.convolution(16, 16, 7, groups: 16), $1).ignore() }
  }

  @Test(arguments: [1, 2, 8]) func groups(of width: Int) {
    Self.check(channels: 32) { $0.add(Self.convolution(32, 32, 3, padding: 1, groups: 32 / width), $1).ignore() }
  }

  @Test(arguments: [false, true], [false, true]) func batchNormalization(prelu: Bool, residual: Bool) {
    Self.check { graph, x in
      let layer = BatchNormalization("bn", channels: 16, prelu: prelu ? "prelu" : nil, residual: residual)
      let inner = graph.add(Self.convolution(16, 16, 1), x)
      _ = residual ? graph.add(layer, inner, x) : graph.add(layer, inner)
    }
  }

  /// Widths that fill AVX-512's vectors, and AVX2's alone.
  @Test(arguments: [24, 32]) func batchNormalizationOfFeatures(width: Int) {
    Self.check(side: 3, batch: 5) { graph, x in
      let flat = graph.add(Flatten("flatten"), x)
      let layer = FullyConnected("fc", inputs: 144, outputs: width, bias: nil, initializer: .constant(0))
      graph.add(BatchNormalization("bn1d", channels: width, prelu: "prelu"), graph.add(layer, flat)).ignore()
    }
  }

  @Test func batchNormalizationOfFixedWeight() {
    Self.check { $0.add(BatchNormalization("bn", channels: 16, trainsWeight: false), $1).ignore() }
  }

  @Test(arguments: [false, true]) func prelu(residual: Bool) {
    Self.check { graph, x in
      let layer = PReLU("prelu", channels: 16, residual: residual)
      let inner = graph.add(Self.convolution(16, 16, 1, bias: true), x)
      _ = residual ? graph.add(layer, inner, x) : graph.add(layer, inner)
    }
  }

  @Test(arguments: [nil, Initializer.constant(0)]) func fullyConnected(bias: Initializer?) {
    Self.check(side: 3) { graph, x in
      let flat = graph.add(Flatten("flatten"), x)
      let wide = graph.add(FullyConnected("fc", inputs: 144, outputs: 32, bias: bias, initializer: .constant(0)), flat)
      graph.add(BatchNormalization("bn1d", channels: 32), wide).ignore()
    }
  }

  @Test func dropout() {
    Self.check(side: 3) { graph, x in
      let flat = graph.add(Flatten("flatten"), x)
      graph.add(Dropout("dropout", probability: 0.4), flat).ignore()
    }
  }

  /// A value that three layers read: its gradient has three contributions, of which no layer adds all.
  @Test func sharedValue() {
    Self.check { graph, x in
      let a = graph.add(PReLU("a", channels: 16), x)
      let b = graph.add(BatchNormalization("b", channels: 16, residual: true), a, x)
      let c = graph.add(BatchNormalization("c", channels: 16, residual: true), b, a)
      graph.add(PReLU("d", channels: 16, residual: true), c, a).ignore()
    }
  }

  @Test func gradientsAccumulate() {
    var graph = Graph(input: .image(3, 4, 4, .plain))
    let x = graph.add(Self.convolution(3, 16, 3, padding: 1, bias: true), graph.input)
    graph.add(BatchNormalization("bn", channels: 16, prelu: "prelu"), x).ignore()
    let network = GradientCheck(graph, batch: 2).network
    let pass = network.pass(batch: 2, .training)
    let images = Array(pass.input.buffer)
    func run() {
      _ = pass.input.buffer.update(fromContentsOf: images)
      pass.forward()
      for i in pass.outputGradient.buffer.indices { pass.outputGradient.buffer[i] = Float(i % 7) - 3 }
      pass.backward { _ in }
    }
    run()
    let once = Array(network.parameters.gradients)
    run()
    #expect(once.contains { $0 != 0 })
    #expect(zip(once, network.parameters.gradients).allSatisfy { 2 * $0 == $1 })
  }
}

extension Graph.Value {
  /// The last layer's output is the graph's; a test has no other use of it.
  func ignore() {}
}
