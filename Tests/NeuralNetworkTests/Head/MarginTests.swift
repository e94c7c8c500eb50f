import Foundation
import NeuralNetwork
import Testing

@Suite struct MarginTests {
  static let kinds: [Margin] = [
    .cosine(0.35), .angular(0.5), Margin(multiplier: 1, angle: 0.3, cosine: 0.2), Margin(multiplier: 1.35),
  ]

  /// ArcFace's own formula, cos(a + m) = cos a cos m - sin a sin m, at cosines of 0.5 and -0.5.
  @Test func knownValues() {
    let arc = Margin.angular(0.5)
    #expect(abs(arc.applied(to: 0.5).target - (0.5 * cos(0.5) - 0.75.squareRoot() * sin(0.5))) < 1e-15)
    #expect(abs(arc.applied(to: -0.5).target - (-0.5 * cos(0.5) - 0.75.squareRoot() * sin(0.5))) < 1e-15)
    // SphereFace's m = 2 is the double angle: 2 c^2 - 1, and past a right angle 1 - 2 c^2 - 2.
    let sphere = Margin(multiplier: 2)
    #expect(abs(sphere.applied(to: 0.6).target - (2 * 0.36 - 1)) < 1e-15)
    #expect(abs(sphere.applied(to: -0.6).target - (-2 * 0.36 - 1)) < 1e-15)
    #expect(Margin.cosine(0.35).applied(to: 0.6) == (0.6 - 0.35, 1))
    let all = Margin(multiplier: 1, angle: 0.3, cosine: 0.2)
    #expect(abs(all.applied(to: 0).target - (-sin(0.3) - 0.2)) < 1e-15 && abs(all.atChance - (sin(0.3) + 0.2)) < 1e-15)
  }

  /// Over all of [-1, 1], past pi too: it falls with the cosine, without a jump, and the slope is that of central differences.
  @Test(arguments: kinds + [Margin(multiplier: 4, angle: 1, cosine: 1)]) func fallsWithTheCosine(margin: Margin) {
    let step = 1e-5
    var last = margin.applied(to: -1).target
    for c in stride(from: -0.998, through: 0.998, by: 0.002) {
      let (target, slope) = margin.applied(to: c)
      #expect(target > last && target - last < 0.3, "\(c): \(last) to \(target)")
      let difference = (margin.applied(to: c + step).target - margin.applied(to: c - step).target) / (2 * step)
      // Where psi bends, the two sides' slopes of the second order differ.
      #expect(abs(slope - difference) <= 1e-3 * (1 + slope), "\(c): \(slope), by differences \(difference)")
      last = target
    }
    for end in [-1.0, 1, -1.0000001, 1.0000001] {
      let (target, slope) = margin.applied(to: end)
      #expect(target.isFinite && slope.isFinite && slope >= 0)
    }
  }

  struct Recorded: Sendable, CustomTestStringConvertible {
    let margin: Margin
    let loss: Double
    let embeddingGradient: [Double]
    let weightGradient: [Double]

    init(_ margin: Margin, loss: Double, embeddingGradient: [Double], weightGradient: [Double]) {
      (self.margin, self.loss) = (margin, loss)
      (self.embeddingGradient, self.weightGradient) = (embeddingGradient, weightGradient)
    }

    var testDescription: String { "\(margin)" }
  }

  private static func unitRows(_ count: Int, phase: Double, step: Double) -> [Float] {
    (0..<count).flatMap { row in
      let x = (0..<5).map { sin(phase + step * Double(5 * row + $0)) }
      let norm = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return x.map { Float($0 / norm) }
    }
  }

  /// PyTorch's loss and gradients, in float64 (Tests/Recipes/margins.py): over all classes, and over two halves of them.
  @Test(arguments: recorded) func agreesWithPyTorch(recorded: Recorded) throws {
    let e = Self.unitRows(4, phase: 1, step: 1.3)
    let w = Self.unitRows(6, phase: 2, step: 0.7)
    let harness = HeadHarness(
      classes: 0..<6, of: 6, width: 5, capacity: 4, margin: recorded.margin, logitScale: .fixed(16))
    harness.set(w)
    harness.assumeScale(1)
    let loss = try harness.forward(e, [3, 0, 5, 3])
    #expect(abs(loss - recorded.loss) < 2e-6 * recorded.loss)
    #expect(difference(harness.backward(samples: 4), recorded.embeddingGradient) < 2e-6)
    #expect(difference(Array(harness.classWeight.gradient), recorded.weightGradient) < 2e-6)
    let seen = harness.head.cosines(negativeLimit: 100).positive
    let expected = zip(0..<4, [3, 0, 5, 3]).map { sample, row in
      (0..<5).reduce(0.0) { $0 + Double(e[5 * sample + $1]) * Double(w[5 * row + $1]) }
    }
    #expect(difference(seen, expected) < 1e-6)
  }

  /// The scale of rows and logits changes nothing of the angle.
  @Test func rowsOfAnyNorm() throws {
    let e = Self.unitRows(4, phase: 1, step: 1.3)
    let w = Self.unitRows(6, phase: 2, step: 0.7).map { 3 * $0 }
    for margin in Self.kinds {
      let harnesses = [LogitScale.fixed(12), .learned(multiplier: 4)].map {
        HeadHarness(classes: 0..<6, of: 6, width: 5, capacity: 4, margin: margin, logitScale: $0)
      }
      let losses = try harnesses.map { harness in
        harness.set(w)
        harness.assumeScale(3)
        return try harness.forward(e, [3, 0, 5, 3])
      }
      #expect(abs(losses[0] - losses[1]) < 1e-6 * losses[0], "\(margin)")
    }
  }

  static let recorded: [Recorded] = [
    // cosines at the labels: [-0.408, 0.723, -0.048, -0.502]
    Recorded(
      .angular(0.5), loss: 18.216559213,
      embeddingGradient: [
        2.2433583, -0.1224757, -2.4307075, -3.5957397, -3.0696393,
        -1.9617080, -2.1190703, -1.2798007, 0.1613794, 1.5266603,
        0.2280961, -2.0876900, -3.4216028, -3.1462825, -1.3912163,
        1.2973645, -1.4083383, -3.4516776, -3.8716390, -2.4707080,
      ],
      weightGradient: [
        0.3067787, 0.2862967, -0.1536108, -0.3684777, -0.0435242,
        0.0000000, 0.0000000, -0.0000000, -0.0000000, 0.0000000,
        5.8387824, 2.5170312, -4.4921767, -4.9203354, 1.8598089,
        -2.9224359, -1.5526933, 2.0917488, 2.6717739, -0.6623560,
        0.0941173, 0.0204427, -0.0831805, -0.0649441, 0.0484355,
        -2.1304744, -0.8531319, 1.6740508, 1.7487452, -0.7384761,
      ]),
    // cosines at the labels: [-0.408, 0.723, -0.048, -0.502]
    Recorded(
      Margin(angle: 0.3, cosine: 0.2), loss: 18.939076796,
      embeddingGradient: [
        2.2716033, -0.3746265, -2.8446637, -3.9768112, -3.2386022,
        -1.7122089, -2.0030276, -1.3517910, -0.0647859, 1.2526891,
        0.0909551, -2.3086913, -3.6225239, -3.2326271, -1.3223752,
        1.3299489, -1.6992281, -3.9292316, -4.3112562, -2.6656294,
      ],
      weightGradient: [
        0.5762116, 0.4543095, -0.3331573, -0.6325475, -0.0052544,
        0.0000000, 0.0000000, -0.0000000, -0.0000000, 0.0000000,
        5.8412089, 2.5185443, -4.4937937, -4.9227136, 1.8601535,
        -3.7270032, -1.9462169, 2.6857820, 3.3831039, -0.8758293,
        0.0941194, 0.0204441, -0.0831819, -0.0649462, 0.0484358,
        -2.3466786, -0.9397222, 1.8439294, 1.9262200, -0.8134061,
      ]),
    // cosines at the labels: [-0.408, 0.723, -0.048, -0.502]
    Recorded(
      Margin(multiplier: 1.35), loss: 18.420846772,
      embeddingGradient: [
        2.2406278, -0.0980999, -2.3906897, -3.5589009, -3.0533054,
        -2.3191622, -2.1543272, -0.9762783, 0.6609296, 1.9872922,
        -0.1665511, -2.7236594, -3.9997880, -3.3947541, -1.1931141,
        1.2758512, -1.2162831, -3.1363805, -3.5813892, -2.3420144,
      ],
      weightGradient: [
        0.0463510, 0.1238994, 0.0199348, -0.1132340, -0.0805149,
        0.0000000, 0.0000000, -0.0000000, -0.0000000, 0.0000000,
        5.5757470, 2.3530078, -4.3168934, -4.6625359, 1.8224477,
        -2.5858229, -1.4653193, 1.8018807, 2.4293212, -0.5021995,
        0.0938821, 0.0202961, -0.0830237, -0.0647136, 0.0484021,
        -2.7526725, -1.1023310, 2.1629280, 2.2594924, -0.9541048,
      ]),
  ]
}
