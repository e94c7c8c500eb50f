import NeuralNetwork
import Testing

/// What is frozen stays, costs nothing where nothing before it is trained, and passes gradients on where something is.
@Suite(.serialized) struct FreezingTests {
  /// Convolutions, normalizations with and without PReLU and residual, a PReLU alone, a fully connected layer, and where
  /// `frozen` names it a normalization of its features: of few samples' own statistics the slopes would be vague.
  private func blocks(_ frozen: [String]) -> Graph {
    var graph = Graph(input: .image(3, 6, 6, .plain))
    func convolution(_ name: String, _ inputs: Int, groups: Int = 1, bias: Bool = false) -> Convolution {
      Convolution(
        name, inputs: inputs, outputs: 16, kernel: 3, padding: 1, groups: groups, bias: bias,
        initializer: .uniformFanIn(9 * inputs / groups))
    }
    let stem = graph.add(convolution("stem", 3), graph.input)
    let a = graph.add(BatchNormalization("a", channels: 16, prelu: "a.prelu"), stem)
    let b = graph.add(BatchNormalization("b", channels: 16, residual: true), graph.add(convolution("b.conv", 16), a), a)
    let c = graph.add(PReLU("c", channels: 16, residual: true), graph.add(convolution("c.conv", 16, bias: true), b), a)
    let d = graph.add(
      BatchNormalization("d", channels: 16, prelu: "d.prelu"), graph.add(convolution("d.conv", 16, groups: 16), c))
    let flat = graph.add(Flatten("flatten"), d)
    let e = graph.add(
      FullyConnected("e", inputs: 16 * 36, outputs: 16, bias: .constant(0), initializer: .uniformFanIn(16 * 36)), flat)
    if frozen.contains("f") { _ = graph.add(BatchNormalization("f", channels: 16), e) }
    return graph
  }

  private func names(_ graph: Graph, _ prefixes: [String]) -> Set<String> {
    let all = Network("names", graph).parameters.parameters.map(\.name)
    return Set(all.filter { name in prefixes.contains { name == $0 || name.hasPrefix($0 + ".") } })
  }

  /// With weights that keep activations near 1: normalizations that are frozen do not.
  private func check(_ frozen: [String], batch: Int) -> GradientCheck {
    let graph = blocks(frozen)
    let names = names(graph, frozen)
    #expect(names.count >= frozen.count)
    let check = GradientCheck(graph.freezing(names), batch: batch)
    for parameter in check.network.parameters.parameters where parameter.shape.count > 1 {
      let scale = 2 / Float(parameter.count / parameter.shape[0]).squareRoot()
      for i in parameter.value.indices { parameter.value[i] *= scale }
    }
    // The slopes of PReLU near 1, so that its kinks are small.
    for parameter in check.network.parameters.parameters
    where parameter.name.contains("prelu") || parameter.name == "c.weight" {
      for i in parameter.value.indices { parameter.value[i] = 0.96 + 0.004 * Float(i % 5) }
    }
    Self.spread(check.network)
    return check
  }

  /// What `--freeze norms` freezes: trained parameters with running statistics beside.
  @Test(arguments: NetworkKind.allCases) func namesOfNormalizations(kind: NetworkKind) {
    let statistics = "running_mean"
    let norms = kind.parameters(embeddingWidth: 16, inputSide: 16).map(\.name).filter { $0.hasSuffix(statistics) }
      .map { $0.dropLast(statistics.count) }
    let expected = Set(kind.trainedNames).intersection(norms.flatMap { ["\($0)weight", "\($0)bias"] })
    #expect(Set(kind.normalizationNames) == expected)
    #expect(expected.isEmpty == (kind == .spherenet20))
  }

  private static func fill(_ pass: Pass, seed: UInt64 = 9) {
    var generator = SplitMix(seed: seed)
    for i in pass.input.buffer.indices { pass.input.buffer[i] = generator.float(in: -1...1) }
  }

  private static func length(_ values: [Float]) -> Float { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  /// The root of the squares of what differs, beside what is expected.
  private static func distance(_ values: [Float], _ expected: [Float]) -> Float {
    let difference = zip(values, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return (difference / max(expected.reduce(0) { $0 + $1 * $1 }, .leastNormalMagnitude)).squareRoot()
  }

  /// Statistics that are neither 0 and 1 nor those of a batch.
  private static func spread(_ network: Network) {
    for parameter in network.statistics.parameters {
      let isVariance = parameter.name.hasSuffix("var")
      for i in parameter.value.indices { parameter.value[i] = Float(i % 5) * 0.2 + (isVariance ? 0.5 : -0.4) }
    }
    network.weightsChanged()
  }

  private static func step(_ pass: Pass, of network: Network) -> (values: [Float], gradients: [[Float]]) {
    network.parameters.zeroGradients()
    fill(pass)
    pass.forward()
    let values = Array(pass.output.buffer)
    for i in pass.outputGradient.buffer.indices { pass.outputGradient.buffer[i] = Float(i % 11) - 5 }
    pass.backward { _ in }
    return (values, network.parameters.parameters.filter(\.isTrained).map { Array($0.gradient) })
  }

  /// Central differences through frozen layers of every kind, in the middle and at either end.
  @Test(arguments: [
    ["b", "b.conv"], ["a", "a.prelu"], ["a"], ["c", "c.conv"], ["c.conv.weight"], ["d.conv", "d", "d.prelu"], ["d"],
    ["e", "f"], ["e.weight"], ["stem", "a", "a.prelu", "b.conv"], ["stem", "a", "a.prelu", "b", "b.conv", "c.conv"],
    ["a.weight"],
  ]) func gradients(_ frozen: [String]) {
    for batch in [3, 5] {
      var check = check(frozen, batch: batch)
      #expect(check.failuresAlongDirections() == [])
    }
  }

  @Test func noticesAGradientOfTheBatchStatistics() {
    var check = check(["d"], batch: 3)
    #expect(check.failuresAlongDirections(factor: 1.1).count > 10)
  }

  /// Folded, in place and in pieces, or layer after layer over the whole batch: the same.
  @Test(
    arguments: [
      (NetworkKind.mobilefacenet, ["layers.0", "layers.1", "layers.2", "layers.3.layers.1"]),
      (.mobilefacenet, ["layers.4", "layers.5", "conv_sep"]),
      (.iresnet18, ["conv1", "bn1", "prelu", "layer1", "layer2"]),
      (.iresnet18, ["layer2", "layer3", "features"]), (.spherenet20, ["conv1_1", "relu1_1", "conv1_2", "relu1_2"]),
    ], [(7, 2), (4, 1)])
  func passesAgree(_ frozen: (kind: NetworkKind, names: [String]), _ batchAndThreads: (Int, Int)) {
    let before = Parallel.threads
    Parallel.setThreads(batchAndThreads.1)
    defer { Parallel.setThreads(before) }
    let names = Set(
      frozen.kind.trainedNames.filter { name in
        frozen.names.contains { name.hasPrefix($0 + ".") || name.hasPrefix($0 + ".layers.") }
      })
    #expect(!names.isEmpty)
    for recomputes in [false, true] {
      let network = frozen.kind.makeNetwork(
        embeddingWidth: 64, inputSide: 48, recomputes: recomputes, frozen: names)
      network.initialize(seed: 3)
      // A rounding that carries a value over PReLU's kink would change a gradient by far more than itself.
      for parameter in network.parameters.parameters where parameter.initializer == .constant(0.25) {
        parameter.value.update(repeating: 0.999)
      }
      let kept = network.statistics.parameters.map { Array($0.value) }
      let result = Self.step(network.pass(batch: batchAndThreads.0, .training), of: network)
      let moved = zip(network.statistics.parameters, kept).filter { Array($0.value) != $1 }.map(\.0.name)
      for name in moved {
        let layer = name.split(separator: ".").dropLast().joined(separator: ".")
        #expect(!names.contains(layer + ".weight"), "\(name) moved")
      }
      #expect(network.statistics.parameters.isEmpty || !moved.isEmpty)
      let plain = Self.step(network.plainPass(batch: batchAndThreads.0, .training), of: network)
      #expect(Self.distance(result.values, plain.values) < 1e-4)
      // Of a gradient that nearly cancels out roundings are left.
      let least = 1e-2 * plain.gradients.map(Self.length).max()!
      for (index, parameter) in network.parameters.parameters.filter(\.isTrained).enumerated() {
        let (found, expected) = (result.gradients[index], plain.gradients[index])
        let difference = Self.length(zip(found, expected).map { $0 - $1 })
        #expect(difference < 2e-3 * max(Self.length(expected), least), "\(parameter.name): \(difference)")
      }
    }
  }

  /// A prefix that is frozen keeps no activations, and the formula knows it.
  @Test(
    arguments: [NetworkKind.mobilefacenet, .iresnet18], [["layer"], ["layers.0.", "conv1", "bn1", "prelu"], ["."]])
  func memory(_ kind: NetworkKind, _ patterns: [String]) {
    let names = Set(kind.trainedNames.filter { name in patterns.contains { name.contains($0) } })
    let footprint = NetworkFootprint(
      kind, embeddingWidth: 64, inputSide: 48, frozen: names, optimizer: .sgd(SGD()), batch: 3)
    let network = kind.makeNetwork(embeddingWidth: 64, inputSide: 48, frozen: names)
    let trained = network.parameters.parameters.filter { !names.contains($0.name) && $0.name != "features.weight" }
    _ = ParameterUpdate(network.parameters, .sgd(SGD())) { _ in 0 }
    network.reserve(training: 3)
    #expect(footprint.activationBytes == network.passBytes)
    #expect(footprint.parameterBytes == network.parameters.bytes)
    #expect(footprint.gradientCount == network.parameters.gradients.count)
    #expect(footprint.statisticsCount == network.movingStatisticsCount)
    #expect(network.parameters.gradients.count == trained.reduce(0) { $0 + ($1.count + 15) / 16 * 16 })
    #expect(network.parameters.states.map(\.values.count) == [network.parameters.gradients.count])
    for parameter in network.parameters.parameters where names.contains(parameter.name) {
      #expect(parameter.gradient.isEmpty && parameter.states.isEmpty)
    }
    let whole = NetworkFootprint(kind, embeddingWidth: 64, inputSide: 48, optimizer: .sgd(SGD()), batch: 3)
    #expect(footprint.activationBytes < whole.activationBytes)
    #expect(network.isFixed == trained.isEmpty)
    if network.isFixed { #expect(2 * footprint.activationBytes < whole.activationBytes) }
  }

  /// A step that trains nothing of the network: inference, and nothing moves; then training goes on as if it had not been.
  @Test(arguments: [NetworkKind.mobilefacenet, .iresnet18]) func fixedPass(_ kind: NetworkKind) {
    let network = kind.makeNetwork(embeddingWidth: 64, inputSide: 48)
    network.initialize(seed: 3)
    Self.spread(network)
    let kept = Array(network.statistics.values)
    let fixed = network.fixedPass(batch: 5)
    #expect(!fixed.trains && fixed.backwardLayers.isEmpty)
    func run(_ pass: Pass) -> [Float] {
      Self.fill(pass)
      pass.forward()
      return Array(pass.output.buffer)
    }
    let first = run(fixed)
    #expect(Self.distance(first, run(network.pass(batch: 5, .evaluation))) < 1e-4)
    #expect(Array(network.statistics.values) == kept)
    let step = Self.step(network.pass(batch: 5, .training), of: network)
    #expect(Array(network.statistics.values) != kept && step.gradients.allSatisfy { !$0.isEmpty })
    // Weights that others changed are folded again.
    for parameter in network.parameters.parameters { for i in parameter.value.indices { parameter.value[i] *= 1.01 } }
    network.weightsChanged()
    let later = run(network.fixedPass(batch: 5))
    #expect(later != first && Self.distance(later, run(network.pass(batch: 5, .evaluation))) < 1e-4)
    if kind == .iresnet18 { #expect(fixed.implementations.contains { $0.hasPrefix("winograd") }) }
  }

  /// A factor of a parameter is a rate, and a decay, of its own.
  @Test(arguments: [Optimizer.sgd(SGD()), .adamW(AdamW()), .muon(Muon())]) func rateFactors(_ optimizer: Optimizer) {
    func run(_ factors: [String: Double], rate: Double) -> [[Float]] {
      let store = ParameterStore([
        Parameter("a", [32, 16], .constant(1)), Parameter("b", [32], .constant(1)), Parameter("c", [32], .constant(1)),
      ])
      for parameter in store.parameters { parameter.initializer.fill(parameter.value, seed: 1, name: parameter.name) }
      let update = ParameterUpdate(
        store, optimizer, weightDecay: { _ in 0.1 }, rateFactor: { factors[$0.name] ?? 1 })
      for index in 0..<3 {
        for i in store.gradients.indices { store.gradients[i] = Float((i * 7 + index) % 13) - 6 }
        let step = UpdateStep(index: index, learningRate: rate)
        update.run(step)
        update.orthogonalize()
        update.finish(step)
      }
      return store.parameters.map { Array($0.value) }
    }
    let (slow, plain, fast) = (run([:], rate: 0.005), run([:], rate: 0.01), run([:], rate: 0.02))
    #expect(run(["a": 0.5, "c": 2], rate: 0.01) == [slow[0], plain[1], fast[2]])
    #expect(run(["b": 2], rate: 0.01) == [plain[0], fast[1], plain[2]])
  }
}
