import Foundation
import NeuralNetwork
import Testing

@Suite struct LogitScaleTests {
  @Test func twoMeaningsOfTheScale() {
    #expect(LogitScale.learned(multiplier: 32).gamma(rowNorm: 2) == 32)
    #expect(LogitScale.learned(multiplier: 32).effective(rowNorm: 2) == 64)
    #expect(LogitScale.fixed(48).gamma(rowNorm: 2) == 24)
    #expect(LogitScale.fixed(48).effective(rowNorm: 2) == 48)
  }

  /// With logits s at the label and -s / (N - 1) elsewhere, as far apart as N directions can be, the bound gives P.
  @Test(arguments: [2, 10, 10_000], [0.5, 0.9, 0.99]) func boundOfThePaper(classCount: Int, probability: Double) {
    let s = LogitScale.lowerBound(classCount: classCount, probability: probability)
    let others = Double(classCount - 1)
    let reached = exp(s) / (exp(s) + others * exp(-s / others))
    #expect(abs(reached - probability) < 1e-12)
  }

  /// The formula and the head agree on untrained directions. 64 samples vary by about 3 %.
  @Test(arguments: [0.0, 0.35], [4.0, 16]) func lossOfUntrainedDirections(margin: Double, scale: Double) throws {
    let (n, k, m) = (3000, 128, 64)
    let harness = HeadHarness(
      classes: 0..<n, of: n, width: k, capacity: m, margin: .cosine(margin), logitScale: .fixed(scale))
    harness.classWeight.initialize(seed: 1)
    try harness.classWeight.renormalize(to: 1)
    let loss = try harness.forward(unitRows(m, width: k, seed: 2), labels(m, classCount: n))
    let expected = LogitScale.expectedLoss(classCount: n, width: k, scale: scale, margin: margin)
    #expect(abs(loss - expected) < 0.03 * expected, "\(loss), expected \(expected)")
  }
}
