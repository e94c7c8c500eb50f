import Testing

import NeuralNetwork

/// Compares a graph's gradients with central differences of L = sum(y * r), r random.
///
/// A derivative counts as right within 1 % of itself plus 0.3 % of the largest of its tensor: a wrong term is far beyond
/// that. Of several steps the best counts: a long one may cross PReLU's kink, a short one drowns in Float32's rounding,
/// and a wrong gradient is wrong at all.
struct GradientCheck {
  let network: Network
  let batch: Int
  private var generator: SplitMix
  private let weights: [Float]

  init(_ graph: Graph, batch: Int, seed: UInt64 = 1) {
    network = Network("check", graph)
    self.batch = batch
    generator = SplitMix(seed: seed)
    let pass = network.pass(batch: batch, .training)
    // Distinct, not too small values: PReLU's kink lies off the path of most differences.
    for parameter in network.parameters.parameters {
      for i in parameter.value.indices { parameter.value[i] = generator.float(in: 0.1...0.9) * (i % 3 == 0 ? -1 : 1) }
    }
    for i in pass.input.buffer.indices { pass.input.buffer[i] = generator.float(in: -1...1) }
    var draw = generator
    weights = (0..<pass.output.count).map { _ in draw.float(in: -1...1) }
    generator = draw
    network.random.keys = (0..<UInt64(batch)).map { 77 &+ $0 &* 1_000_003 }
  }

  private func loss(_ pass: Pass) -> Double {
    pass.forward()
    return zip(pass.output.buffer, weights).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// Checks up to `samples` elements of the input and of each trained parameter.
  mutating func run(samples: Int = 24, sourceLocation: SourceLocation = #_sourceLocation) {
    let pass = network.pass(batch: batch, .training)
    network.parameters.zeroGradients()
    let images = Array(pass.input.buffer)
    _ = loss(pass)
    for (i, weight) in weights.enumerated() { pass.outputGradient.buffer[i] = weight }
    pass.backward { _ in }
    for parameter in network.parameters.parameters where parameter.isTrained {
      let analytic = Array(parameter.gradient)
      let scale = analytic.map { abs($0) }.max() ?? 0
      for index in picks(parameter.count, samples) {
        let value = parameter.value[index]
        // The input's memory may have been reused by the backward pass.
        func at(_ x: Float) -> Double {
          parameter.value[index] = x
          _ = pass.input.buffer.update(fromContentsOf: images)
          return loss(pass)
        }
        let differences = [1e-2, 3e-3, 1e-3, 3e-4].map { (step: Float) in
          Float((at(value + step) - at(value - step)) / Double((value + step) - (value - step)))
        }
        parameter.value[index] = value
        let numeric = differences.min { abs($0 - analytic[index]) < abs($1 - analytic[index]) }!
        let allowed = 0.01 * abs(numeric) + 0.003 * scale + 1e-3
        #expect(
          abs(analytic[index] - numeric) <= allowed, "\(parameter.name)[\(index)]: \(analytic[index]) for \(numeric)",
          sourceLocation: sourceLocation)
      }
    }
  }

  private mutating func picks(_ count: Int, _ samples: Int) -> [Int] {
    count <= samples ? Array(0..<count) : (0..<samples).map { _ in Int(generator.next() % UInt64(count)) }
  }
}

/// A small seeded generator for tests.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func float(in range: ClosedRange<Float>) -> Float { Float.random(in: range, using: &self) }
}
