import NeuralNetwork
import Testing

/// Every way to divide the work gives what the undivided work gives.
@Suite struct DividedHeadTests {
  private struct Stop: Error {}

  /// The forward passes of all parts, joined as three collectives would: each reduction is tried first, to collect the
  /// parts' values, and given the joint ones in the next attempt.
  private func joinedForward(_ parts: [HeadHarness], _ e: [Float], _ labels: [Int32]) throws -> [Double] {
    var maxima = [Float](repeating: -.infinity, count: labels.count)
    for part in parts {
      let collect = SoftmaxReductions(
        maximum: { buffer in
          for i in buffer.indices { maxima[i] = max(maxima[i], buffer[i]) }
          throw Stop()
        }, sum: { _ in })
      #expect(throws: Stop.self) { try part.forward(e, labels, reductions: collect) }
    }
    var sums = [Double](repeating: 0, count: 2 * labels.count)
    for part in parts {
      let collect = SoftmaxReductions(
        maximum: { _ = $0.update(fromContentsOf: maxima) },
        sum: { buffer in
          #expect(buffer.count == sums.count)
          for i in buffer.indices { sums[i] += buffer[i] }
          throw Stop()
        })
      #expect(throws: Stop.self) { try part.forward(e, labels, reductions: collect) }
    }
    let joined = SoftmaxReductions(
      maximum: { _ = $0.update(fromContentsOf: maxima) }, sum: { _ = $0.update(fromContentsOf: sums) })
    return try parts.map { try $0.forward(e, labels, reductions: joined) }
  }

  @Test(arguments: [[0, 120, 200], [0, 1, 100, 200], [0, 67, 133, 200]], [true, false])
  func classesAmongRanks(bounds: [Int], holdsGradient: Bool) throws {
    let (n, k, m) = (200, 24, 10)
    let e = unitRows(m, width: k, seed: 1)
    let labels = labels(m, classCount: n)
    let whole = HeadHarness(classes: 0..<n, of: n, width: k, capacity: m, holdsGradient: holdsGradient)
    whole.classWeight.initialize(seed: 4)
    let parts = zip(bounds, bounds.dropFirst()).map { start, end in
      let part = HeadHarness(classes: start..<end, of: n, width: k, capacity: m, holdsGradient: holdsGradient)
      part.classWeight.initialize(seed: 4)
      return part
    }
    for _ in 0..<3 {
      try whole.classWeight.renormalize()
      let scale = parts.reduce(0.0) { $0 + $1.classWeight.rowNormSum() } / Double(n)
      #expect(abs(scale - whole.classWeight.scale) < 1e-6 * scale)
      for part in parts { try part.classWeight.renormalize(to: scale) }
      let loss = try whole.forward(e, labels)
      for partLoss in try joinedForward(parts, e, labels) { #expect(abs(partLoss - loss) < 1e-6 * loss) }
      var sum = [Float](repeating: 0, count: m * k)
      for part in parts {
        let de =
          holdsGradient ? part.backward(samples: m) : part.backwardUpdating(samples: m, learningRate: 0.01)
        for i in sum.indices { sum[i] += de[i] }
        if holdsGradient { part.update(learningRate: 0.01) }
      }
      let de = holdsGradient ? whole.backward(samples: m) : whole.backwardUpdating(samples: m, learningRate: 0.01)
      if holdsGradient { whole.update(learningRate: 0.01) }
      #expect(difference(sum, de) < 2e-6)
      #expect(difference(parts.flatMap(\.weight), whole.weight) < 2e-6)
    }
  }

  @Test func samplesAmongRanks() throws {
    let (n, k, m) = (50, 32, 21)
    let e = unitRows(m, width: k, seed: 5)
    let labels = labels(m, classCount: n)
    let whole = HeadHarness(classes: 0..<n, of: n, width: k, capacity: m)
    let shards = HeadHarness(classes: 0..<n, of: n, width: k, capacity: m)
    for harness in [whole, shards] {
      harness.classWeight.initialize(seed: 6)
      try harness.classWeight.renormalize(to: 1)
    }
    let loss = try whole.forward(e, labels)
    let de = whole.backward(samples: m)
    var (sum, gradient) = (0.0, [Float]())
    // A rank may be left without samples.
    for range in [0..<1, 1..<1, 1..<14, 14..<21] {
      sum += try shards.forward(Array(e[range.lowerBound * k..<range.upperBound * k]), Array(labels[range]), count: m)
      gradient += shards.backward(samples: range.count)
    }
    #expect(abs(sum - loss) < 1e-6 * loss)
    #expect(difference(gradient, de) < 2e-6)
    #expect(
      difference(Array(shards.classWeight.gradient), Array(whole.classWeight.gradient)) < 2e-6)
  }

  /// Three ways to update W give the same bits, over steps with projections between them.
  @Test(arguments: [Optimizer.sgd(SGD()), .sgd(SGD(isNesterov: true)), .adamW(AdamW())], [7, 32])
  func updatesWithinBackward(optimizer: Optimizer, width: Int) throws {
    let (n, m) = (331, 12)
    let e = unitRows(m, width: width, seed: 7)
    let labels = labels(m, classCount: n)
    let (fused, whole, byRows) = (0, 1, 2)
    let harnesses = (0..<3).map {
      HeadHarness(
        classes: 0..<n, of: n, width: width, capacity: m, holdsGradient: $0 != fused,
        optimizer: optimizer, decay: 0.01)
    }
    for harness in harnesses { harness.classWeight.initialize(seed: 8) }
    for _ in 0..<4 {
      var results: [[Float]] = []
      for (way, harness) in harnesses.enumerated() {
        try harness.classWeight.renormalize()
        let loss = try harness.forward(e, labels)
        let de =
          way == fused ? harness.backwardUpdating(samples: m, learningRate: 0.1) : harness.backward(samples: m)
        if way == whole { harness.update(learningRate: 0.1) }
        if way == byRows { harness.updateByRows(learningRate: 0.1) }
        results.append(de + [Float(loss), Float(harness.classWeight.scale)])
      }
      #expect(results[0] == results[1] && results[0] == results[2])
    }
    for other in harnesses[1...] {
      #expect(harnesses[0].weight == other.weight)
      for (fused, other) in zip(harnesses[0].classWeight.store.states, other.classWeight.store.states) {
        #expect(Array(fused.values) == Array(other.values))
      }
      #expect(other.classWeight.gradient.allSatisfy { $0 == 0 })
    }
    withExtendedLifetime(harnesses) {}
  }

  /// Any number of threads, changed between steps: more than there are tiles of rows, too.
  @Test func rowsAmongThreads() throws {
    let (n, k, m) = (40, 24, 18)
    let e = unitRows(m, width: k, seed: 13)
    let labels = labels(m, classCount: n)
    let former = Parallel.threads
    defer { Parallel.setThreads(former) }
    let harness = HeadHarness(classes: 0..<n, of: n, width: k, capacity: m)
    harness.classWeight.initialize(seed: 14)
    try harness.classWeight.renormalize(to: 1)
    var results: [(loss: Double, de: [Float], dw: [Float])] = []
    for threads in [1, 3, 9, 2] {
      Parallel.setThreads(threads)
      harness.classWeight.store.zeroGradients()
      let loss = try harness.forward(e, labels)
      results.append((loss, harness.backward(samples: m), Array(harness.classWeight.gradient)))
    }
    for result in results[1...] {
      #expect(abs(result.loss - results[0].loss) < 1e-6 * result.loss)
      #expect(difference(result.de, results[0].de) < 2e-6)
      #expect(difference(result.dw, results[0].dw) < 2e-6)
    }
  }

  /// Factors applied within the next pass leave the same bits as factors applied at once.
  @Test(arguments: [true, false]) func appliesFactorsLater(holdsGradient: Bool) throws {
    let (n, k, m) = (200, 37, 8)
    let e = unitRows(m, width: k, seed: 9)
    let labels = labels(m, classCount: n)
    let harnesses = (0..<2).map { _ in
      HeadHarness(classes: 0..<n, of: n, width: k, capacity: m, holdsGradient: holdsGradient)
    }
    for (index, harness) in harnesses.enumerated() {
      harness.classWeight.initialize(seed: 10)
      for _ in 0..<3 {
        try harness.classWeight.renormalize()
        #expect(harness.classWeight.normState == .pending)
        if index == 1 { harness.classWeight.materialize() }
        _ = try harness.forward(e, labels)
        #expect((harness.classWeight.normState == .pending) == (index == 0 && !holdsGradient))
        if holdsGradient {
          _ = harness.backward(samples: m)
          harness.update(learningRate: 0.1)
        } else {
          _ = harness.backwardUpdating(samples: m, learningRate: 0.1)
        }
      }
    }
    #expect(Array(harnesses[0].classWeight.value) == Array(harnesses[1].classWeight.value))
    #expect(
      Array(harnesses[0].classWeight.states[0].values) == Array(harnesses[1].classWeight.states[0].values))
  }

  /// Rank 0's factors, sent to the others, leave all replicas with the same bits and rows of the same norm.
  @Test func sendsFactors() throws {
    let (n, k) = (77, 19)
    let root = HeadHarness(classes: 0..<n, of: n, width: k, capacity: 1)
    let other = HeadHarness(classes: 0..<n, of: n, width: k, capacity: 1)
    for harness in [root, other] { harness.classWeight.initialize(seed: 11) }
    try root.classWeight.computeRowFactors(scale: root.classWeight.rowNormSum() / Double(n))
    _ = other.classWeight.rowFactors.update(fromContentsOf: root.classWeight.rowFactors)
    let scale = root.classWeight.rowNormSum() / Double(n)
    root.classWeight.apply(scale: scale)
    other.classWeight.apply(scale: scale)
    #expect(root.weight == other.weight)
    let weight = root.weight
    for row in 0..<n {
      let norm = length(weight[row * k..<(row + 1) * k])
      #expect(abs(norm - scale) < 3e-7 * scale)
    }
  }

  /// A step without samples still moves W by its momentum.
  @Test func emptyBatch() throws {
    let harness = HeadHarness(classes: 0..<30, of: 30, width: 8, capacity: 4, holdsGradient: false)
    harness.set(normals(240, seed: 12))
    harness.assumeScale(1)
    harness.classWeight.states[0].values.update(repeating: 1)
    let before = harness.weight
    #expect(try harness.forward([], [], count: 5) == 0)
    #expect(harness.backwardUpdating(samples: 0, learningRate: 0.5).isEmpty)
    #expect(harness.weight == before.map { $0.addingProduct(-0.5, 0.9) })
  }
}
