import Testing

import NeuralNetwork

/// Passes as they run (in pieces, by chains of layers, in evaluation folded) against the plain ones: layer after layer
/// over the whole batch; and Winograd's convolutions against direct ones.
@Suite(.serialized) struct PassTests {
  /// One of each family: the deeper IResNets are made of the same blocks.
  private static let kinds: [NetworkKind] = [.mobilefacenet, .mobilefacenetX2, .iresnet18, .spherenet20]

  /// Random weights, and statistics far from those of initialization.
  private static func network(_ kind: NetworkKind, recomputes: Bool = false) -> Network {
    let network = kind.makeNetwork(embeddingWidth: 64, inputSide: 48, recomputes: recomputes)
    network.initialize(seed: 3)
    var generator = SplitMix(seed: 5)
    spreadChannels(of: network, &generator)
    for parameter in network.statistics.parameters {
      let isVariance = parameter.name.hasSuffix("var")
      for i in parameter.value.indices { parameter.value[i] = generator.float(in: isVariance ? 0.3...3 : -1...1) }
    }
    network.weightsChanged()
    return network
  }

  /// Weights, biases and slopes of either sign.
  private static func spreadChannels(of network: Network, _ generator: inout SplitMix) {
    for parameter in network.parameters.parameters where parameter.shape.count == 1 {
      for i in parameter.value.indices { parameter.value[i] = generator.float(in: 0.2...1.2) * (i % 5 == 0 ? -1 : 1) }
    }
  }

  private static func convolution(
    _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int = 3, groups: Int = 1, bias: Bool = false
  ) -> Convolution {
    Convolution(
      name, inputs: inputs, outputs: outputs, kernel: kernel, padding: kernel / 2, groups: groups, bias: bias,
      initializer: .uniformFanIn(kernel * kernel * inputs / groups))
  }

  private static func fill(_ pass: Pass) {
    var generator = SplitMix(seed: 9)
    for i in pass.input.buffer.indices { pass.input.buffer[i] = generator.float(in: -1...1) }
  }

  private static func size(_ values: [Float]) -> Float {
    (values.reduce(0) { $0 + $1 * $1 } / Float(values.count)).squareRoot()
  }

  /// The largest difference beside the root mean square of what is expected, or beside `least`.
  private static func difference(_ values: [Float], _ expected: [Float], least: Float = .leastNormalMagnitude) -> Float
  {
    zip(values, expected).map { abs($0 - $1) }.max()! / max(size(expected), least)
  }

  private static func onThreads<R>(_ count: Int, _ body: () -> R) -> R {
    let before = Parallel.threads
    Parallel.setThreads(count)
    defer { Parallel.setThreads(before) }
    return body()
  }

  @Test(arguments: kinds, [(1, 1), (7, 2), (1, 2)])
  func evaluationIsFolded(_ kind: NetworkKind, _ batchAndThreads: (Int, Int)) {
    let (batch, threads) = batchAndThreads
    let network = Self.network(kind)
    Self.onThreads(threads) {
      let folded = network.pass(batch: batch, .evaluation)
      Self.fill(folded)
      folded.forward()
      let embeddings = Array(folded.output.buffer)
      let plain = network.plainPass(batch: batch, .evaluation)
      Self.fill(plain)
      plain.forward()
      // Fifty layers' roundings; a block alone is checked more closely below.
      #expect(Self.difference(embeddings, Array(plain.output.buffer)) < 1e-4)
      #expect(folded.implementations.allSatisfy { !$0.contains("ref") }, "\(folded.implementations)")
      // Evaluation moves nothing.
      Self.fill(folded)
      folded.forward()
      #expect(Array(folded.output.buffer) == embeddings)
    }
  }

  @Test func foldedWeightsFollowTheirParameters() {
    let network = Self.network(.mobilefacenet)
    func embeddings(_ pass: Pass) -> [Float] {
      Self.fill(pass)
      pass.forward()
      return Array(pass.output.buffer)
    }
    let before = embeddings(network.pass(batch: 2, .evaluation))
    // A training pass moves the running statistics; the update that follows it is seen too.
    let training = network.pass(batch: 2, .training)
    Self.fill(training)
    training.forward()
    training.outputGradient.buffer.update(repeating: 1)
    training.backward { _ in }
    let weight = network.parameters.parameters.first { $0.shape.count == 4 }!
    for i in weight.value.indices { weight.value[i] += 0.1 }
    let after = embeddings(network.pass(batch: 2, .evaluation))
    #expect(after != before)
    #expect(Self.difference(after, embeddings(network.plainPass(batch: 2, .evaluation))) < 1e-4)
    // A write from elsewhere is announced.
    for i in weight.value.indices { weight.value[i] *= 0.5 }
    network.weightsChanged()
    let halved = embeddings(network.pass(batch: 2, .evaluation))
    #expect(halved != after)
    #expect(Self.difference(halved, embeddings(network.plainPass(batch: 2, .evaluation))) < 1e-4)
  }

  /// Several pieces a thread, pieces of two sizes, and threads whose shares differ.
  @Test(arguments: kinds, [(9, 1), (15, 2), (3, 2)])
  func trainingInPieces(_ kind: NetworkKind, _ batchAndThreads: (Int, Int)) {
    let (batch, threads) = batchAndThreads
    let network = Self.network(kind)
    // Among so many values some lie at PReLU's kink and fall to either side: let that make little difference here.
    for parameter in network.parameters.parameters where parameter.initializer == .constant(0.25) {
      parameter.value.update(repeating: 0.999)
    }
    // Fifty layers' roundings.
    Self.onThreads(threads) { Self.compareTraining(network, batch: batch, tolerance: 1e-3) }
  }

  /// What is made again in backward is what was there: the same bits in less memory. (MobileFaceNet's values pass in
  /// pieces anyway, unless threads would get unequal shares.)
  @Test(arguments: [NetworkKind.mobilefacenet, .iresnet18], [(9, 1), (16, 2), (3, 2)])
  func recomputed(_ kind: NetworkKind, _ batchAndThreads: (Int, Int)) {
    let (batch, threads) = batchAndThreads
    Self.onThreads(threads) {
      let (kept, remade) = (Self.network(kind), Self.network(kind, recomputes: true))
      let expected = Self.step(kept.pass(batch: batch, .training), of: kept)
      #expect(Self.step(remade.pass(batch: batch, .training), of: remade) == expected)
      let limit = kind == .mobilefacenet && batch > 3 ? 1 : 0.95
      #expect(Double(remade.passBytes) < limit * Double(kept.passBytes))
    }
  }

  /// One block of each fused kind, to the roundings of a few operations.
  @Test(arguments: [(9, 1), (16, 2), (15, 2), (3, 2)]) func blocks(_ batchAndThreads: (Int, Int)) {
    let (batch, threads) = batchAndThreads
    var graph = Graph(input: .image(3, 24, 24, .plain))
    func convolution(_ name: String, _ inputs: Int, groups: Int = 1, bias: Bool = false) -> Convolution {
      Convolution(
        name, inputs: inputs, outputs: 32, kernel: 3, padding: 1, groups: groups, bias: bias,
        initializer: .uniformFanIn(9 * inputs / groups))
    }
    let stem = graph.add(convolution("stem", 3), graph.input)
    let a = graph.add(BatchNormalization("a", channels: 32, prelu: "a.prelu"), stem)
    let b = graph.add(BatchNormalization("b", channels: 32, residual: true), graph.add(convolution("b.conv", 32), a), a)
    let c = graph.add(PReLU("c", channels: 32, residual: true), graph.add(convolution("c.conv", 32, bias: true), b), a)
    let d = graph.add(PReLU("d", channels: 32), graph.add(convolution("d.conv", 32, groups: 32), c))
    let e = graph.add(
      BatchNormalization("e", channels: 32, prelu: "e.prelu", residual: true), graph.add(convolution("e.conv", 32), d),
      d)
    _ = graph.add(Flatten("flatten"), e)
    let network = Network("blocks", graph)
    network.initialize(seed: 1)
    Self.onThreads(threads) {
      Self.compareTraining(network, batch: batch, tolerance: 1e-5)
      let folded = network.pass(batch: batch, .evaluation)
      Self.fill(folded)
      folded.forward()
      let values = Array(folded.output.buffer)
      let plain = network.plainPass(batch: batch, .evaluation)
      Self.fill(plain)
      plain.forward()
      #expect(Self.difference(values, Array(plain.output.buffer)) < 1e-5)
      #expect(folded.implementations.count == 5)
    }
  }

  /// Winograd's filtering against oneDNN's direct sums: odd and even sides, several blocks of tiles, with and without
  /// bias. The weight's gradient is one sum, whatever the threads.
  @Test(arguments: [3, 7, 14, 17]) func winograd(side: Int) {
    var graph = Graph(input: .image(3, side, side, .plain))
    let stem = graph.add(Self.convolution("stem", 3, 96, kernel: 1), graph.input)
    let inner = graph.add(Self.convolution("inner", 96, 32), stem)
    _ = graph.add(Flatten("flatten"), graph.add(Self.convolution("last", 32, 64, bias: true), inner))
    let network = Network("winograd", graph)
    network.initialize(seed: 2)
    let isUsed = network.pass(batch: 2, .training).implementations.contains { $0.hasPrefix("winograd") }
    #expect(isUsed)
    var gradients: [[Float]] = []
    for threads in [1, 2, 3] {
      Self.onThreads(threads) {
        let result = Self.step(network.pass(batch: 13, .training), of: network)
        let direct = Self.step(network.plainPass(batch: 13, .training, convolvesDirectly: true), of: network)
        #expect(Self.distance(result.values, direct.values) < 2e-6)
        for (gradient, expected) in zip(result.gradients, direct.gradients) {
          #expect(Self.distance(gradient, expected) < 1e-5)
        }
        gradients.append(result.gradients[network.parameters.parameters.firstIndex { $0.name == "last.weight" }!])
      }
    }
    #expect(gradients[1] == gradients[0] && gradients[2] == gradients[0])
  }

  /// Values that a convolution makes of those before a normalization while it reads them, against the same written down.
  /// Padding stays 0, whatever the normalization makes of 0.
  @Test(arguments: [7, 14], [1, 2, 3]) func mapped(side: Int, threads: Int) {
    var graph = Graph(input: .image(3, side, side, .plain))
    var x = graph.add(Self.convolution("stem", 3, 32), graph.input)
    x = graph.add(Self.convolution("a", 32, 64), graph.add(BatchNormalization("norm", channels: 32), x))
    x = graph.add(BatchNormalization("norm+prelu", channels: 64, prelu: "inner"), x)
    x = graph.add(PReLU("prelu", channels: 32), graph.add(Self.convolution("b", 64, 32, bias: true), x))
    // Two read the last one: it is written.
    x = graph.add(BatchNormalization("written", channels: 32), graph.add(Self.convolution("c", 32, 32), x))
    let last = graph.add(Self.convolution("d", 32, 32), x)
    x = graph.add(BatchNormalization("sum", channels: 32, residual: true), last, x)
    _ = graph.add(Flatten("flatten"), x)
    let network = Network("mapped", graph)
    network.initialize(seed: 4)
    var generator = SplitMix(seed: 6)
    Self.spreadChannels(of: network, &generator)
    Self.onThreads(threads) {
      let works = network.pass(batch: 13, .training).works
      let withoutForward = works.filter { !$0.directions.contains(.forward) }.map(\.name)
      #expect(withoutForward == ["norm", "norm+prelu", "prelu"])
      // Of the first normalization's bias hardly more than rounding is left by the second.
      Self.compareTraining(network, batch: 13, tolerance: 5e-5)
    }
  }

  /// The norm of the difference beside that of what is expected, or beside `least`'s.
  private static func distance(_ values: [Float], _ expected: [Float], least: Float = .leastNormalMagnitude) -> Float {
    size(zip(values, expected).map { $0 - $1 }) / max(size(expected), least)
  }

  /// One forward and backward pass from given statistics.
  private static func step(
    _ pass: Pass, of network: Network
  ) -> (values: [Float], gradients: [[Float]], statistics: [Float]) {
    network.parameters.zeroGradients()
    fill(pass)
    pass.forward()
    let values = Array(pass.output.buffer)
    for i in pass.outputGradient.buffer.indices { pass.outputGradient.buffer[i] = Float(i % 11) - 5 }
    pass.backward { _ in }
    let trained = network.parameters.parameters.filter(\.isTrained)
    return (values, trained.map { Array($0.gradient) }, Array(network.statistics.values))
  }

  private static func compareTraining(_ network: Network, batch: Int, tolerance: Float) {
    let statistics = Array(network.statistics.values)
    let trained = network.parameters.parameters.filter(\.isTrained)
    func step(_ pass: Pass) -> (values: [Float], gradients: [[Float]], statistics: [Float]) {
      _ = network.statistics.values.update(fromContentsOf: statistics)
      return Self.step(pass, of: network)
    }
    let result = step(network.pass(batch: batch, .training))
    let again = step(network.pass(batch: batch, .training))
    let plain = step(network.plainPass(batch: batch, .training))
    #expect(result == again, "Not the same twice")
    #expect(difference(result.values, plain.values) < tolerance)
    if !statistics.isEmpty { #expect(difference(result.statistics, plain.statistics) < 1e-5) }
    // The bias before another batch normalization has the gradient 0, and what stands there is rounding.
    let least = 1e-2 * plain.gradients.map(size).max()!
    for (index, parameter) in trained.enumerated() {
      let (found, expected) = (result.gradients[index], plain.gradients[index])
      let distance = distance(found, expected, least: least)
      #expect(distance < tolerance, "\(parameter.name): \(distance)")
      let difference = difference(found, expected, least: least)
      // The plain sum over all images is one long row of Floats, and has roundings of its own.
      #expect(difference < 5 * tolerance, "\(parameter.name): \(difference)")
    }
  }

  @Test(arguments: kinds) func noReferenceCode(_ kind: NetworkKind) {
    let pass = kind.makeNetwork().pass(batch: 2, .training)
    #expect(pass.implementations.allSatisfy { !$0.contains("ref") }, "\(Set(pass.implementations))")
  }
}
