import NeuralNetwork
import Testing
import VectorKernels

/// The loss towards a teacher's embeddings, the gradient of it, and the map that is trained with it.
@Suite struct DistillationTests {
  private typealias Recorded = RecordedDistillation

  private func distillation(_ run: RecordedDistillation.Run) -> Distillation {
    let made = Distillation(
      width: Recorded.width, teacherWidth: run.teacherWidth, weight: run.weight, capacity: Recorded.batch)
    _ = made.store.parameters.first?.value.update(fromContentsOf: run.map)
    return made
  }

  private func expectNear(_ values: some Sequence<Float>, _ recorded: [Float], _ what: String) {
    let values = Array(values)
    #expect(values.count == recorded.count, "\(what)")
    let largest = recorded.reduce(0) { max($0, abs($1)) }
    for (i, (a, b)) in zip(values, recorded).enumerated() {
      #expect(abs(a - b) <= 2e-6 * largest, "\(what) \(i): \(a), PyTorch \(b)")
    }
  }

  /// Two halves of the batch, as micro-batches: what they add is that of the whole.
  @Test(arguments: RecordedDistillation.runs, [[5], [2, 3]])
  func reproducesPyTorch(run: RecordedDistillation.Run, parts: [Int]) throws {
    let distillation = distillation(run)
    distillation.store.zeroGradients()
    // What the margin loss has left there.
    var gradient = [Float](repeating: 0.5, count: Recorded.batch * Recorded.width)
    var (loss, cosine, start) = (0.0, 0.0, 0)
    for count in parts {
      let part = try Recorded.embeddings.withUnsafeBufferPointer { x in
        try run.teacher.withUnsafeBufferPointer { teacher in
          try distillation.forward(
            x.baseAddress! + start * Recorded.width, teacher: teacher.baseAddress! + start * run.teacherWidth,
            batch: count, count: Recorded.batch)
        }
      }
      gradient.withUnsafeMutableBufferPointer {
        distillation.addGradient(to: $0.baseAddress! + start * Recorded.width)
      }
      (loss, cosine, start) = (loss + part.loss, cosine + part.cosine, start + count)
    }
    #expect(abs(loss - run.loss) <= 1e-6 * run.loss)
    #expect(abs(cosine - run.cosine) <= 1e-6)
    expectNear(gradient.map { $0 - 0.5 }, run.gradient, "dx")
    #expect(distillation.store.parameters.map(\.name) == (run.map.isEmpty ? [] : ["teacher.map"]))
    if let map = distillation.store.parameters.first { expectNear(map.gradient, run.mapGradient, "dA") }
  }

  /// Central differences of the loss, at sizes that no tile divides evenly.
  @Test(arguments: [48, 80, 130]) func centralDifferences(teacherWidth: Int) throws {
    let (batch, width) = (3, 80)
    let distillation = Distillation(width: width, teacherWidth: teacherWidth, weight: 2, capacity: batch)
    distillation.initialize(seed: 3)
    var x = [Float](repeating: 0, count: batch * width)
    x.withUnsafeMutableBufferPointer { Initializer.normal(standardDeviation: 1).fill($0, seed: 1, name: "x") }
    var teacher = [Float](repeating: 0, count: batch * teacherWidth)
    teacher.withUnsafeMutableBufferPointer { Initializer.normal(standardDeviation: 1).fill($0, seed: 2, name: "t") }
    for row in 0..<batch {
      let range = (row * teacherWidth)..<((row + 1) * teacherWidth)
      let length = teacher[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
      for k in range { teacher[k] /= length }
    }
    func loss() throws -> Double {
      try distillation.forward(x, teacher: teacher, batch: batch, count: batch).loss
    }
    distillation.store.zeroGradients()
    _ = try loss()
    var gradient = [Float](repeating: 0, count: batch * width)
    gradient.withUnsafeMutableBufferPointer { distillation.addGradient(to: $0.baseAddress!) }
    for index in stride(from: 0, to: x.count, by: 17) {
      let value = x[index]
      let slope = GradientCheck.slope(at: value) {
        x[index] = $0
        return try! loss()
      }
      x[index] = value
      #expect(abs(slope.value - Double(gradient[index])) <= 0.01 * abs(slope.value) + 1e-4, "x[\(index)]")
    }
    guard let map = distillation.store.parameters.first else { return }
    #expect(teacherWidth != width)
    distillation.store.zeroGradients()
    _ = try loss()
    let mapGradient = Array(map.gradient)
    #expect(mapGradient.contains { $0 != 0 })
    for index in stride(from: 0, to: map.count, by: 397) {
      let value = map.value[index]
      let slope = GradientCheck.slope(at: value) {
        map.value[index] = $0
        return try! loss()
      }
      map.value[index] = value
      #expect(abs(slope.value - Double(mapGradient[index])) <= 0.01 * abs(slope.value) + 1e-4, "A[\(index)]")
    }
  }

  @Test func embeddingsWithoutDirectionAreNamed() {
    let distillation = Distillation(width: 2, teacherWidth: 2, weight: 1, capacity: 2)
    #expect(throws: HeadError.zeroEmbedding(sample: 1)) {
      try distillation.forward([1, 0, 0, 0], teacher: [1, 0, 0, 1], batch: 2, count: 2)
    }
    #expect(throws: HeadError.nonFiniteEmbedding(sample: 0)) {
      try distillation.forward([.nan, 0, 0, 0], teacher: [1, 0, 0, 1], batch: 2, count: 2)
    }
  }

  @Test func bytesByFormula() {
    for (teacherWidth, states) in [(64, 2), (48, 1), (64, 0)] {
      let distillation = Distillation(width: 64, teacherWidth: teacherWidth, weight: 1, capacity: 7)
      distillation.store.makeStates((0..<states).map { "state\($0)" })
      #expect(
        distillation.bytes == Distillation.bytes(width: 64, teacherWidth: teacherWidth, capacity: 7, states: states))
    }
  }
}
