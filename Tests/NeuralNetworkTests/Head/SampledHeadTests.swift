import NeuralNetwork
import Testing
import VectorKernels

/// A step over some of the rows is a step of a head that has no others.
@Suite struct SampledHeadTests {
  private let n = 90
  private let k = 24
  private let m = 7
  private let rows: [Int32] = [0, 3, 4, 5, 17, 18, 19, 20, 21, 22, 40, 41, 57, 58, 59, 60, 88, 89]

  private func makeHead(_ classes: Int, sampledRows: Int? = nil, scale: LogitScale = .learned(multiplier: 16))
    -> LargeMarginCosineLoss
  {
    let head = LargeMarginCosineLoss(
      classes: 0..<classes, of: classes, width: k, capacity: m, margin: .cosine(0.35), logitScale: scale,
      holdsGradient: false, sampledRows: sampledRows)
    head.classWeight.store.makeStates(SGD.stateNames)
    return head
  }

  private func forward(_ head: LargeMarginCosineLoss, _ e: [Float], _ labels: [Int32]) throws -> Double {
    try e.withUnsafeBufferPointer { e in
      try labels.withUnsafeBufferPointer { try head.forward(e.baseAddress!, labels: $0, count: m) }
    }
  }

  private func backward(_ head: LargeMarginCosineLoss, rate: Double, momentum: Float = 0.9) -> [Float] {
    let gradient = AlignedMemory(count: m * k)
    head.backward(
      into: gradient.elements.baseAddress!,
      updatingWith: Optimizer.sgd(SGD(momentum: momentum)).rule(UpdateStep(index: 0, learningRate: rate)))
    return Array(gradient.elements)
  }

  private func take(_ rows: [Int32], of values: some Collection<Float>) -> [Float] {
    let values = Array(values)
    return rows.flatMap { values[(Int($0) * k)..<((Int($0) + 1) * k)] }
  }

  @Test(arguments: [LogitScale.learned(multiplier: 16), .fixed(12)]) func equalsAHeadOfTheseRows(scale: LogitScale)
    throws
  {
    let sampled = makeHead(n, sampledRows: 4, scale: scale)
    let small = makeHead(rows.count, scale: scale)
    sampled.classWeight.initialize(seed: 3)
    try sampled.classWeight.renormalize(to: 1.3)
    _ = small.classWeight.value.update(fromContentsOf: take(rows, of: sampled.classWeight.value))
    small.classWeight.valueChanged()
    let untouched = (0..<Int32(n)).filter { !rows.contains($0) }
    let before = take(untouched, of: sampled.classWeight.value)
    try small.classWeight.renormalize(to: 1.3)
    sampled.classWeight.select(rows)
    for step in 0..<3 {
      let e = unitRows(m, width: k, seed: UInt64(step))
      let places = labels(m, classCount: rows.count)
      let loss = try forward(small, e, places)
      #expect(abs(try forward(sampled, e, places.map { rows[Int($0)] }) - loss) < 1e-12 * loss)
      #expect(backward(sampled, rate: 0.1) == backward(small, rate: 0.1))
      // Rows that had no part stand for rows of the common norm.
      let others = Double(n - rows.count) * sampled.classWeight.scale
      let mean = (small.classWeight.rowNormSum() + others) / Double(n)
      #expect(abs(sampled.classWeight.rowNormSum() / Double(n) - mean) < 1e-12)
      try sampled.classWeight.renormalize(to: mean)
      try small.classWeight.renormalize(to: mean)
    }
    #expect(take(rows, of: sampled.classWeight.states[0].values) == Array(small.classWeight.states[0].values))
    #expect(take(untouched, of: sampled.classWeight.value) == before)
    #expect(take(untouched, of: sampled.classWeight.states[0].values).allSatisfy { $0 == 0 })
    sampled.classWeight.project()
    small.classWeight.materialize()
    #expect(take(rows, of: sampled.classWeight.value) == Array(small.classWeight.value))
    for row in 0..<n {
      #expect(abs(length(sampled.classWeight.value[(row * k)..<((row + 1) * k)]) - sampled.classWeight.scale) < 1e-6)
    }
  }

  /// All rows in each step are what a head that is not sampled does, to the bit.
  @Test func allRowsAreTheWholeHead() throws {
    let (sampled, whole) = (makeHead(n, sampledRows: n), makeHead(n))
    for head in [sampled, whole] {
      head.classWeight.initialize(seed: 5)
      try head.classWeight.renormalize(to: 1)
    }
    for step in 0..<3 {
      sampled.classWeight.select((0..<Int32(n)).map { $0 })
      let e = unitRows(m, width: k, seed: UInt64(step))
      let labels = labels(m, classCount: n)
      #expect(try forward(sampled, e, labels) == forward(whole, e, labels))
      #expect(backward(sampled, rate: 0.1) == backward(whole, rate: 0.1))
      for head in [sampled, whole] { try head.classWeight.renormalize() }
      #expect(sampled.classWeight.scale == whole.classWeight.scale)
    }
    sampled.classWeight.project()
    whole.classWeight.materialize()
    #expect(Array(sampled.classWeight.value) == Array(whole.classWeight.value))
  }

  /// What TensorBoard's histograms show: of the step's rows and no others, of the whole head or of one rank's classes.
  @Test(arguments: [0..<90, 30..<90]) func cosinesAreThoseOfTheStepsRows(classes: Range<Int>) throws {
    let head = LargeMarginCosineLoss(
      classes: classes, of: n, width: k, capacity: m, margin: .cosine(0.35), logitScale: .learned(multiplier: 16),
      holdsGradient: false, sampledRows: 4)
    head.classWeight.initialize(seed: 3)
    try head.classWeight.renormalize(to: 1.3)
    let active = rows.map { Int($0) }.filter(classes.contains)
    head.classWeight.select(active.map { Int32($0 - classes.lowerBound) })
    let e = unitRows(m, width: k, seed: 1)
    let labels = (0..<m).map { rows[2 * $0 + 3] }
    _ = try forward(head, e, labels)
    func cosine(_ sample: Int, _ class: Int) -> Double {
      let start = (`class` - classes.lowerBound) * k
      let w = head.classWeight.value[start..<(start + k)]
      return zip(e[(sample * k)..<((sample + 1) * k)], w).reduce(0) { $0 + Double($1.0) * Double($1.1) } / length(w)
    }
    let own = (0..<m).filter { active.contains(Int(labels[$0])) }
    let positive = own.map { cosine($0, Int(labels[$0])) }
    let negative = active.flatMap { row in (0..<m).filter { Int(labels[$0]) != row }.map { cosine($0, row) } }
    let all = head.cosines(negativeLimit: n * m)
    #expect(all.positive.count == positive.count && all.negative.count == negative.count)
    #expect(difference(all.positive, positive) < 1e-5)
    #expect(difference(all.negative, negative) < 1e-5)
    // Every third row of the step.
    let some = head.cosines(negativeLimit: active.count * m / 3).negative
    let third = stride(from: 0, to: active.count, by: 3).map { active[$0] }
    let expected = third.flatMap { row in (0..<m).filter { Int(labels[$0]) != row }.map { cosine($0, row) } }
    #expect(difference(some, expected) < 1e-5)
  }

  /// de and dW against differences of the loss over the sampled rows.
  @Test func gradients() throws {
    let head = makeHead(n, sampledRows: rows.count)
    let labels = (0..<m).map { rows[$0 * 2] }
    var e = unitRows(m, width: k, seed: 9)
    head.classWeight.initialize(seed: 9)
    try head.classWeight.renormalize(to: 1)
    // Rows of norm 1 are W' themselves, but for rounding: a change of one element is one of W'.
    head.classWeight.project()
    let weight = Array(head.classWeight.value)
    func loss(_ weight: [Float], _ e: [Float]) throws -> Double {
      _ = head.classWeight.value.update(fromContentsOf: weight)
      head.classWeight.valueChanged()
      // The projection is a constant of the step: norms are those before the change.
      head.classWeight.restore(scale: 1)
      head.classWeight.select(rows)
      return try forward(head, e, labels)
    }
    _ = try loss(weight, e)
    let de = backward(head, rate: 1, momentum: 0)
    let dw = zip(weight, head.classWeight.value).map { $0 - $1 }
    let step: Float = 1e-3
    for i in stride(from: 0, to: m * k, by: 11) {
      let value = e[i]
      e[i] = value + step
      let above = try loss(weight, e)
      e[i] = value - step
      let below = try loss(weight, e)
      e[i] = value
      let difference = (above - below) / Double(2 * step)
      #expect(abs(Double(de[i]) - difference) < 5e-3 * max(abs(difference), 0.2), "de[\(i)]")
    }
    // Across a row's own direction its norm, and so its projection, stays: dW against directions in the sphere.
    for row in rows.map({ Int($0) * k }) {
      let w = weight[row..<(row + k)]
      var direction = normals(k, seed: UInt64(row))
      let along = zip(direction, w).reduce(0) { $0 + $1.0 * $1.1 }
      for (index, value) in w.enumerated() { direction[index] -= along * value }
      let size = Float(length(direction))
      for index in direction.indices { direction[index] /= size }
      func moved(_ amount: Float) -> [Float] {
        var result = weight
        for index in 0..<k { result[row + index] += amount * direction[index] }
        return result
      }
      let difference = (try loss(moved(step), e) - loss(moved(-step), e)) / Double(2 * step)
      let expected = zip(direction, dw[row..<(row + k)]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      #expect(abs(expected - difference) < 5e-3 * max(abs(difference), 0.2), "row \(row / k)")
    }
    for row in 0..<n where !rows.contains(Int32(row)) {
      #expect(dw[(row * k)..<((row + 1) * k)].allSatisfy { $0 == 0 })
    }
  }
}
