import NeuralNetwork
import Testing

/// The check itself: right slopes pass, wrong ones do not.
@Suite struct GradientCheckTests {
  /// Curved, with a kink near, with a kink so near that long steps cross it, and with a Float's rounding.
  @Test(arguments: [0.5, 0.02, 0.002, 0.0005]) func slopes(distance: Double) {
    func kinked(_ x: Float) -> Double {
      let z = Double(x) - 0.7 + distance
      return Double(Float(10 + (z > 0 ? 2 * z : -3 * z) + z * z))
    }
    let slope = GradientCheck.slope(at: 0.7, kinked)
    #expect(abs(slope.value - (2 + 2 * distance)) <= 0.02 && slope.error <= 0.02, "\(slope)")
  }

  /// Where no step tells: the error says so.
  @Test func noiseHasNoSlope() {
    var noise = SplitMix(seed: 3)
    let slope = GradientCheck.slope(at: 0.5) { _ in Double(noise.float(in: -1...1)) }
    #expect(slope.error > 1)
  }

  /// Derivatives that are 5 % too large are told from right ones.
  @Test func wrongGradientsAreFound() {
    func failures(_ factor: Float) -> [String] {
      var graph = Graph(input: .image(3, 6, 6, .plain))
      let stem = graph.add(
        Convolution("stem", inputs: 3, outputs: 16, kernel: 1, initializer: .constant(0)), graph.input)
      _ = graph.add(PReLU("prelu", channels: 16), stem)
      var check = GradientCheck(graph, batch: 3)
      return check.failures(factor: factor)
    }
    #expect(failures(1) == [])
    for factor: Float in [0.95, 1.05, -1, 0] { #expect(failures(factor).count >= 3, "factor \(factor)") }
  }
}
