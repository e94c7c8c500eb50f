import Foundation
import NeuralNetwork
import Testing

/// M samples, N classes, width K: sizes on both sides of every tile, panel and block.
struct HeadShape: Sendable, CustomTestStringConvertible {
  let samples: Int
  let classCount: Int
  let width: Int
  var testDescription: String { "M \(samples), N \(classCount), K \(width)" }

  static let all = [
    HeadShape(samples: 1, classCount: 2, width: 3), HeadShape(samples: 5, classCount: 7, width: 16),
    HeadShape(samples: 16, classCount: 96, width: 32), HeadShape(samples: 37, classCount: 401, width: 20),
    HeadShape(samples: 64, classCount: 500, width: 512), HeadShape(samples: 150, classCount: 13, width: 530),
  ]
}

@Suite struct LargeMarginCosineLossTests {
  /// The formulas, in Double and without blocks: loss, de, dW. `weight` is W'.
  func plain(
    _ e: [Float], _ weight: [Float], _ labels: [Int32], shape: HeadShape, gamma: Double, shift: Double, count: Int
  ) -> (loss: Double, embeddingGradient: [Double], weightGradient: [Double]) {
    let (n, k) = (shape.classCount, shape.width)
    var (loss, de, dw) = (0.0, [Double](repeating: 0, count: e.count), [Double](repeating: 0, count: n * k))
    for sample in 0..<labels.count {
      let label = Int(labels[sample])
      var logits = (0..<n).map { row in
        gamma * (0..<k).reduce(0.0) { $0 + Double(e[sample * k + $1]) * Double(weight[row * k + $1]) }
      }
      logits[label] -= shift
      let largest = logits.max()!
      let sum = logits.reduce(0.0) { $0 + exp($1 - largest) }
      loss += (log(sum) + largest - logits[label]) / Double(count)
      for row in 0..<n {
        let d = gamma * (exp(logits[row] - largest) / sum - (row == label ? 1 : 0)) / Double(count)
        for i in 0..<k {
          de[sample * k + i] += d * Double(weight[row * k + i])
          dw[row * k + i] += d * Double(e[sample * k + i])
        }
      }
    }
    return (loss, de, dw)
  }

  @Test(arguments: HeadShape.all, [LogitScale.learned(multiplier: 8), .fixed(24)])
  func followsTheFormulas(shape: HeadShape, logitScale: LogitScale) throws {
    let harness = HeadHarness(
      classes: 0..<shape.classCount, of: shape.classCount, width: shape.width, capacity: shape.samples,
      logitScale: logitScale)
    harness.set(normals(shape.classCount * shape.width, seed: 1))
    try harness.classWeight.renormalize()
    let e = unitRows(shape.samples, width: shape.width, seed: 2)
    let labels = labels(shape.samples, classCount: shape.classCount)
    let loss = try harness.forward(e, labels, count: shape.samples + 3)
    let de = harness.backward(samples: shape.samples)
    let gamma = harness.head.gamma
    let expected = plain(
      e, harness.weight, labels, shape: shape, gamma: gamma, shift: gamma * 0.35 * harness.classWeight.scale,
      count: shape.samples + 3)
    #expect(abs(loss - expected.loss) < 3e-6 * expected.loss)
    #expect(difference(de, expected.embeddingGradient) < 1e-5)
    #expect(difference(Array(harness.classWeight.gradient), expected.weightGradient) < 1e-5)
  }

  /// Central differences: a step of 2^-7 leaves about 1e-4 of curvature and rounding.
  @Test func gradientsAreSlopes() throws {
    let shape = HeadShape(samples: 3, classCount: 8, width: 5)
    let harness = HeadHarness(
      classes: 0..<8, of: 8, width: 5, capacity: 3, logitScale: .learned(multiplier: 2))
    var weight = normals(40, seed: 3, deviation: 0.5)
    var e = unitRows(3, width: 5, seed: 4)
    let y = labels(3, classCount: 8)
    let step: Float = 0x1p-7
    func loss() throws -> Double {
      harness.classWeight.materialize()
      harness.set(weight)
      harness.assumeScale(1)
      return try harness.forward(e, y)
    }
    _ = try loss()
    let de = harness.backward(samples: shape.samples)
    let dw = Array(harness.classWeight.gradient)
    func slope(_ change: (Float) -> Void) throws -> Double {
      change(step)
      let above = try loss()
      change(-2 * step)
      let below = try loss()
      change(step)
      return (above - below) / Double(2 * step)
    }
    let slopesE = try e.indices.map { i in try slope { e[i] += $0 } }
    let slopesW = try weight.indices.map { i in try slope { weight[i] += $0 } }
    #expect(difference(de, slopesE) < 3e-4)
    #expect(difference(dw, slopesW) < 3e-4)
  }

  @Test func normalizationsGradientIsItsSlope() throws {
    let layer = L2Normalize(width: 6, capacity: 2)
    var x = normals(12, seed: 5)
    let weights = normals(12, seed: 6)
    func value() throws -> Double {
      try layer.forward(x, batch: 2)
      return zip(layer.embeddings, weights).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    }
    _ = try value()
    for row in [0, 6] { #expect(abs(length(layer.embeddings[row..<row + 6]) - 1) < 1e-6) }
    var gradient = [Float](repeating: 0, count: 12)
    layer.backward(weights, into: &gradient)
    let slopes = try x.indices.map { i in
      x[i] += 0x1p-7
      let above = try value()
      x[i] -= 0x1p-6
      let below = try value()
      x[i] += 0x1p-7
      return (above - below) / 0x1p-6
    }
    #expect(difference(gradient, slopes) < 1e-3)
  }

  @Test func reportsRowsPieceByPiece() throws {
    let (n, k) = (401, 20)
    let harness = HeadHarness(classes: 0..<n, of: n, width: k, capacity: 9)
    harness.set(normals(n * k, seed: 9))
    try harness.classWeight.renormalize(to: 1)
    let e = unitRows(9, width: k, seed: 10)
    _ = try harness.forward(e, labels(9, classCount: n))
    let whole = harness.backward(samples: 9)
    let gradient = Array(harness.classWeight.gradient)
    harness.classWeight.store.zeroGradients()
    var end = 0
    harness.head.backward(into: harness.embeddingGradient.elements.baseAddress!, rowsPerPiece: 100) { rows in
      #expect(rows.lowerBound == end)
      end = rows.upperBound
      let range = rows.lowerBound * k..<rows.upperBound * k
      #expect(Array(harness.classWeight.gradient[range]) == Array(gradient[range]), "rows \(rows)")
    }
    #expect(end == n)
    #expect(difference(Array(harness.embeddingGradient.elements), whole) < 1e-6)
  }

  @Test func refusesWhatHasNoMeaning() throws {
    let harness = HeadHarness(classes: 2..<5, of: 6, width: 4, capacity: 3)
    harness.set(normals(12, seed: 11))
    try harness.classWeight.renormalize(to: 1)
    let e = unitRows(3, width: 4, seed: 12)
    #expect(throws: HeadError.labelOutOfRange(sample: 1, label: 6, classCount: 6)) {
      try harness.forward(e, [0, 6, 7])
    }
    #expect(throws: HeadError.labelOutOfRange(sample: 0, label: -1, classCount: 6)) { try harness.forward(e, [-1, 6]) }
    var broken = e
    broken[5] = .nan
    let error = #expect(throws: HeadError.self) { try harness.forward(broken, [2, 3, 4]) }
    guard case .nonFiniteLoss(sample: 1, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    harness.classWeight.materialize()
    harness.classWeight.value[3] = .infinity
    harness.classWeight.valueChanged()
    #expect(throws: HeadError.nonFiniteScale(.infinity)) { try harness.classWeight.renormalize() }

    let layer = harness.normalize
    #expect(throws: HeadError.zeroEmbedding(sample: 2)) {
      try layer.forward([1, 0, 0, 0, 0, 1e-20, 0, 0, 0, 0, 0, 0], batch: 3)
    }
    #expect(throws: HeadError.nonFiniteEmbedding(sample: 1)) {
      try layer.forward([1, 0, 0, 0, 0, .infinity, 0, 0, 1, 0, 0, 0], batch: 3)
    }
  }
}
