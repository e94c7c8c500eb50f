import NeuralNetwork
import Testing

/// What layers compute, by numbers found by hand and published ones, and whose time is whose.
@Suite(.serialized) struct LayerClockTests {
  /// 3 x 14 x 14 images: 3 x 3 to 32 channels, 3 x 3 to 64 (by Winograd's filtering), depthwise 3 x 3 of stride 2,
  /// 1 x 1 of stride 2 to 48, fully connected from 48 x 4 x 4 to 32.
  private static func graph() -> Graph {
    func convolution(_ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int, stride: Int = 1, groups: Int = 1)
      -> Convolution
    {
      Convolution(
        name, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: kernel / 2, groups: groups,
        initializer: .normal(standardDeviation: 0.1))
    }
    var graph = Graph(input: .image(3, 14, 14, .plain))
    var x = graph.add(convolution("stem", 3, 32, 3), graph.input)
    x = graph.add(BatchNormalization("first", channels: 32), x)
    x = graph.add(convolution("dense", 32, 64, 3), x)
    x = graph.add(BatchNormalization("norm", channels: 64, prelu: "slopes"), x)
    x = graph.add(convolution("depthwise", 64, 64, 3, stride: 2, groups: 64), x)
    x = graph.add(PReLU("alone", channels: 64), x)
    x = graph.add(convolution("pointwise", 64, 48, 1, stride: 2), x)
    x = graph.add(Flatten("flatten"), x)
    _ = graph.add(
      FullyConnected("fc", inputs: 768, outputs: 32, bias: .constant(0), initializer: .uniformFanIn(768)), x)
    return graph
  }

  @Test func worksByHand() throws {
    let batch = 3
    let works = Network("by hand", Self.graph()).pass(batch: batch, .training).works
    func work(_ name: String) throws -> LayerWork { try #require(works.first { $0.name == name }) }
    #expect(
      works.map(\.name) == ["stem", "first", "dense", "norm", "depthwise", "alone", "pointwise", "flatten", "fc"])
    // Twice outputs x positions x inputs of a group x taps.
    let operations = [
      ("stem", 2 * batch * 32 * 196 * 3 * 9), ("dense", 2 * batch * 64 * 196 * 32 * 9),
      ("depthwise", 2 * batch * 64 * 49 * 9), ("pointwise", 2 * batch * 48 * 16 * 64), ("fc", 2 * batch * 768 * 32),
      ("norm", 0), ("alone", 0), ("flatten", 0),
    ]
    for (name, count) in operations { #expect(try work(name).operations(.forward) == count, "\(name)") }
    // Four bytes an element: input, weight, output.
    let dense = try work("dense")
    #expect(dense.bytes(.forward) == 4 * (3 * 32 * 196 + 64 * 32 * 9 + 3 * 64 * 196))
    #expect(dense.bytes(.backwardData) == dense.bytes(.forward))
    #expect(dense.bytes(.backwardWeights) == dense.bytes(.forward))
    #expect(try work("norm").bytes(.backwardData) == 4 * 3 * (3 * 64 * 196))
    #expect(try work("fc").bytes(.backwardWeights) == 4 * (3 * 768 + 768 * 32 + 32 + 3 * 32))
    #expect(try work("stem").directions == [.forward, .backwardWeights])
    #expect(dense.directions == [.forward, .backwardData, .backwardWeights])
    #expect(try work("alone").directions.contains(.backward))
    #expect(try work("flatten").directions == [.forward, .backwardData])
    #expect(try work("depthwise").kind.family == .depthwise)
    #expect(try work("pointwise").kind.parts == ["1x1/2"])
    #expect(try work("norm").parameters == ["norm.weight", "norm.bias", "slopes.weight"])
  }

  /// Millions of multiplications of a 112 x 112 image: of MobileFaceNet by its paper, with an embedding of 128; of the
  /// others by InsightFace's model zoo. Parameters as plans count them.
  @Test(arguments: [(NetworkKind.mobilefacenet, 128, 221.0), (.mobilefacenetX2, 512, 440), (.iresnet18, 512, 2620)])
  func sums(kind: NetworkKind, embedding: Int, millions: Double) {
    let footprint = NetworkFootprint(kind, embeddingWidth: embedding, optimizer: nil, batch: 1)
    let works = kind.makeNetwork(embeddingWidth: embedding).pass(batch: 1, .training).works
    let operations = works.reduce(0) { $0 + $1.operations(.forward) }
    #expect(abs(Double(operations) / 2e6 / millions - 1) < 0.01, "\(operations)")
    #expect(works.reduce(0) { $0 + $1.parameterCount } == footprint.parameterCount)
  }

  /// A frozen convolution and what it took into itself are one line, which only goes forward.
  @Test func foldedLayers() throws {
    let names = Set([
      "stem.weight", "first.weight", "first.bias", "dense.weight", "norm.weight", "norm.bias", "slopes.weight",
      "depthwise.weight",
    ])
    let works = Network("frozen", Self.graph().freezing(names)).pass(batch: 2, .training).works
    #expect(works.flatMap(\.parameters).count == Set(works.flatMap(\.parameters)).count)
    #expect(
      Set(works.flatMap(\.parameters))
        == Set(Network("all", Self.graph()).stateNames.filter { !$0.contains("running") }))
    let first = try #require(works.first)
    #expect(first.name == "stem + first" && first.kind.parts == ["3x3", "norm"])
    #expect(first.directions == [.forward] && first.trainedCount == 0)
    #expect(works.last?.directions == [.forward, .backwardData, .backwardWeights])
  }

  @Test(arguments: [(1, false), (2, false), (2, true)]) func clock(threads: Int, recomputes: Bool) throws {
    let before = Parallel.threads
    Parallel.setThreads(threads)
    defer { Parallel.setThreads(before) }
    let network = Network("clocked", Self.graph(), recomputes: recomputes)
    network.initialize(seed: 4)
    let pass = network.pass(batch: 6, .training)
    func run() -> [Float] {
      network.parameters.zeroGradients()
      for i in pass.input.buffer.indices { pass.input.buffer[i] = Float(i % 23) / 23 - 0.5 }
      pass.forward()
      pass.outputGradient.buffer.update(repeating: 0.1)
      pass.backward { _ in }
      return Array(network.parameters.gradients)
    }
    let without = run()
    let clock = LayerClock(pass)
    pass.clock = clock
    let start = ContinuousClock.now
    // The statistics have moved, which gradients do not see.
    #expect(run() == without)
    let whole = Double((ContinuousClock.now - start).components.attoseconds) * 1e-18
    let times = clock.works.enumerated().flatMap { index, work in work.directions.map { clock.seconds(index, $0) } }
    #expect(times.allSatisfy { $0 > 0 })
    #expect(clock.waitingSeconds >= 0 && (threads > 1 || clock.waitingSeconds == 0))
    #expect(times.reduce(clock.waitingSeconds, +) <= whole)
    let again = clock.works.filter { $0.directions.contains(.forwardAgain) }.map(\.name)
    #expect(again.contains("norm"))
    clock.clear()
    pass.clock = nil
    #expect(run() == without)
    #expect(clock.seconds(1, .forward) == 0)
  }
}
