import Testing

import NeuralNetwork

/// Compares a graph's gradients with central differences of L = sum(y * r), r random.
///
/// A derivative counts as right within 1 % of the slope plus 0.3 % of the largest of its tensor: a wrong term is far beyond
/// that. The slope is found without a look at the derivative (see `slope`), and must be known as well as that.
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

  /// Forward and backward; the images, too, as the backward pass may use the input's memory again.
  private func makeGradients() -> (pass: Pass, images: [Float]) {
    let pass = network.pass(batch: batch, .training)
    network.parameters.zeroGradients()
    let images = Array(pass.input.buffer)
    _ = loss(pass)
    for (i, weight) in weights.enumerated() { pass.outputGradient.buffer[i] = weight }
    pass.backward { _ in }
    return (pass, images)
  }

  /// Checks up to `samples` elements of each trained parameter.
  mutating func run(samples: Int = 24, sourceLocation: SourceLocation = #_sourceLocation) {
    for failure in failures(samples: samples) { Issue.record("\(failure)", sourceLocation: sourceLocation) }
  }

  /// What is wrong with them; of all gradients `factor` times what they are.
  mutating func failures(samples: Int = 24, factor: Float = 1) -> [String] {
    var failures: [String] = []
    let (pass, images) = makeGradients()
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
        let slope = Self.slope(at: value, at)
        parameter.value[index] = value
        let allowed = 0.01 * abs(slope.value) + 0.003 * Double(scale) + 1e-3
        let place = "\(parameter.name)[\(index)]"
        if slope.error > allowed { failures.append("\(place): the slope is \(slope), too vague") }
        let derivative = Double(factor * analytic[index])
        if !(abs(derivative - slope.value) <= allowed) { failures.append("\(place): \(derivative) for \(slope.value)") }
      }
    }
    return failures
  }

  /// What is wrong with the gradients of deep graphs, where an element's own slope drowns in rounding: of each trained
  /// parameter the slope along `directions` random ones, which move all its elements by as much, up or down.
  ///
  /// A derivative counts as right within 3 % of the gradient's length.
  mutating func failuresAlongDirections(_ directions: Int = 3, factor: Float = 1) -> [String] {
    var failures: [String] = []
    let (pass, images) = makeGradients()
    for parameter in network.parameters.parameters where parameter.isTrained {
      let (values, analytic) = (Array(parameter.value), Array(parameter.gradient))
      let length = analytic.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      for number in 0..<directions {
        let signs = values.map { _ -> Float in generator.next() % 2 == 0 ? 1 : -1 }
        let slope = Self.slope(at: 0) { step in
          for i in values.indices { parameter.value[i] = values[i] + step * signs[i] }
          _ = pass.input.buffer.update(fromContentsOf: images)
          return loss(pass)
        }
        _ = parameter.value.update(fromContentsOf: values)
        let derivative = zip(analytic, signs).reduce(0.0) { $0 + Double(factor * $1.0) * Double($1.1) }
        let allowed = 0.03 * length + 1e-3
        let place = "\(parameter.name), direction \(number)"
        if slope.error > allowed { failures.append("\(place): the slope is \(slope), too vague") }
        if !(abs(derivative - slope.value) <= allowed) { failures.append("\(place): \(derivative) for \(slope.value)") }
      }
    }
    return failures
  }

  /// The slope of `f` at `x` by central differences, and how far off it may be.
  ///
  /// A long step may cross PReLU's kink: then the slopes to its left and right differ. A short one drowns in Float32's
  /// rounding: then it differs from its neighbour. The step counts that does either least.
  static func slope(at x: Float, _ f: (Float) -> Double) -> (value: Double, error: Double) {
    let middle = f(x)
    let steps = [1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 5e-5].map { (step: Float) in
      let (left, right) = (Double(x) - Double(x - step), Double(x + step) - Double(x))
      let (below, above) = (f(x - step), f(x + step))
      let difference = (above - below) / (left + right)
      return (value: difference, bend: abs((above - middle) / right - (middle - below) / left) / 2)
    }
    return zip(steps, steps.dropFirst()).map { (value: $0.value, error: $0.bend + abs($0.value - $1.value)) }
      .min { $0.error < $1.error }!
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
