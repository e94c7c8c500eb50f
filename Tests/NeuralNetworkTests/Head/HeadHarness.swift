import NeuralNetwork
import VectorKernels

/// A head over given values, with memory for what it returns.
final class HeadHarness {
  let head: LargeMarginCosineLoss
  var classWeight: ClassWeight { head.classWeight }
  let normalize: L2Normalize
  let embeddingGradient: AlignedMemory
  let parameterUpdate: ParameterUpdate

  init(
    classes: Range<Int>, of classCount: Int, width: Int, capacity: Int, margin: Margin = .cosine(0.35),
    logitScale: LogitScale = .learned(multiplier: 16), holdsGradient: Bool = true,
    optimizer: Optimizer = .sgd(SGD()), decay: Float = 0
  ) {
    head = LargeMarginCosineLoss(
      classes: classes, of: classCount, width: width, capacity: capacity, margin: margin, logitScale: logitScale,
      holdsGradient: holdsGradient)
    normalize = L2Normalize(width: width, capacity: capacity)
    embeddingGradient = AlignedMemory(count: capacity * width)
    parameterUpdate = ParameterUpdate(head.classWeight.store, optimizer) { _ in decay }
    self.decay = decay
  }

  private let decay: Float

  func rule(learningRate: Double) -> UpdateRule {
    parameterUpdate.optimizer.rule(UpdateStep(index: 0, learningRate: learningRate), weightDecay: decay)
  }

  var weight: [Float] {
    classWeight.materialize()
    return Array(classWeight.value)
  }

  func set(_ weight: [Float]) {
    _ = classWeight.value.update(fromContentsOf: weight)
    classWeight.valueChanged()
  }

  /// Says that all rows have the norm `scale` and leaves them as they are.
  func assumeScale(_ scale: Double) {
    classWeight.rowFactors.update(repeating: 1)
    classWeight.apply(scale: scale)
  }

  func forward(
    _ embeddings: [Float], _ labels: [Int32], count: Int? = nil, reductions: SoftmaxReductions? = nil
  ) throws -> Double {
    try embeddings.withUnsafeBufferPointer { embeddings in
      try labels.withUnsafeBufferPointer { labels in
        // An empty batch has no address.
        try head.forward(
          embeddings.baseAddress ?? UnsafePointer(embeddingGradient.elements.baseAddress!), labels: labels,
          count: count ?? labels.count, reductions: reductions)
      }
    }
  }

  /// Adds dW to the gradient and returns de.
  func backward(samples: Int) -> [Float] {
    head.backward(into: embeddingGradient.elements.baseAddress!)
    return Array(embeddingGradient.elements.prefix(samples * classWeight.width))
  }

  /// Updates W block by block and returns de.
  func backwardUpdating(samples: Int, learningRate: Double) -> [Float] {
    head.backward(
      into: embeddingGradient.elements.baseAddress!,
      updatingWith: rule(learningRate: learningRate))
    return Array(embeddingGradient.elements.prefix(samples * classWeight.width))
  }

  /// The update with the gathered gradient, which is cleared for the next step.
  func update(learningRate: Double) {
    classWeight.materialize()
    parameterUpdate.run(UpdateStep(index: 0, learningRate: learningRate))
    classWeight.store.zeroGradients()
    classWeight.valueChanged()
  }

  /// The same in pieces of rows, out of order.
  func updateByRows(learningRate: Double) {
    let half = classWeight.rowCount / 2
    for rows in [half..<classWeight.rowCount, 0..<half] {
      classWeight.update(rows, with: rule(learningRate: learningRate), clearingGradient: true)
    }
  }
}

/// Values for tests that compare two computations: any will do, the same on every run.
func normals(_ count: Int, seed: UInt64, deviation: Float = 1) -> [Float] {
  let memory = AlignedMemory(count: count)
  Initializer.normal(standardDeviation: deviation).fill(memory.elements, seed: seed, name: "test")
  return Array(memory.elements)
}

func length(_ x: some Sequence<Float>) -> Double {
  var sum = 0.0
  for value in x { sum += Double(value) * Double(value) }
  return sum.squareRoot()
}

/// M rows of length 1.
func unitRows(_ count: Int, width: Int, seed: UInt64) -> [Float] {
  var x = normals(count * width, seed: seed)
  for row in 0..<count {
    let range = row * width..<(row + 1) * width
    let norm = length(x[range])
    for i in range { x[i] = Float(Double(x[i]) / norm) }
  }
  return x
}

func labels(_ count: Int, classCount: Int) -> [Int32] {
  (0..<count).map { Int32(($0 * 7919 + 3) % classCount) }
}

/// The largest difference, relative to the largest value where that is above `floor`.
func difference<A: BinaryFloatingPoint, B: BinaryFloatingPoint>(_ a: [A], _ b: [B], floor: Double = 1e-30) -> Double {
  precondition(a.count == b.count, "\(a.count) values compared with \(b.count)")
  var (worst, largest) = (0.0, floor)
  for (x, y) in zip(a, b) {
    let distance = abs(Double(x) - Double(y))
    worst = distance.isNaN ? .infinity : max(worst, distance)
    largest = max(largest, abs(Double(y)))
  }
  return worst / largest
}
