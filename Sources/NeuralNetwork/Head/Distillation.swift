import VectorKernels

/// How far a student's embeddings are from a teacher's, by their angle, and the gradient of it.
///
/// M = batch, K = embedding width, T = the teacher's.  x (M, K), t (M, T) of length 1, A (T, K) a linear map that is trained
/// beside the network where the teacher's embeddings are of another width, else the identity
///
///     forward     y = A x     n = sqrt(sum y^2 + 1e-10)     c = (y . t) / n     loss = weight / count * sum of (1 - c)
///     backward    dy = weight / count * (c y / n - t) / n   dx += A^T dy        dA += dy x^T
///
/// The gradient is exact but for the 1e-10. Where two embeddings point is what verification compares, so their lengths are
/// left alone.
package final class Distillation {
  /// What is trained besides the network: A, or nothing.
  package let store: ParameterStore
  package let width: Int
  package let teacherWidth: Int
  package let weight: Double

  private var map: Parameter? { store.parameters.first }
  /// (M, T): y, and then dy.
  private let products: AlignedMemory
  private let capacity: Int
  private var batch = 0

  package static let mapName = "teacher.map"

  /// - Parameters:
  ///   - width: K
  ///   - teacherWidth: T
  ///   - capacity: the largest batch.
  package init(width: Int, teacherWidth: Int, weight: Double, capacity: Int) {
    precondition(width > 0 && teacherWidth > 0 && weight > 0, "Embeddings of \(width) to \(teacherWidth) by \(weight)")
    (self.width, self.teacherWidth, self.weight, self.capacity) = (width, teacherWidth, weight, capacity)
    store = ParameterStore(Self.map(width: width, teacherWidth: teacherWidth).map { [$0] } ?? [])
    products = AlignedMemory(count: capacity * teacherWidth)
  }

  private static func map(width: Int, teacherWidth: Int) -> Parameter? {
    guard width != teacherWidth else { return nil }
    // Lengths stay about what they are.
    let deviation = Float(1 / Double(width).squareRoot())
    return Parameter(mapName, [teacherWidth, width], .normal(standardDeviation: deviation))
  }

  package var bytes: Int { store.bytes + products.bytes }

  /// By formula, with what an optimizer of so many states keeps.
  package static func bytes(width: Int, teacherWidth: Int, capacity: Int, states: Int) -> Int {
    let map = map(width: width, teacherWidth: teacherWidth).map { [$0] } ?? []
    return ParameterStore.bytes(map, states: states) + MemoryLayout<Float>.stride * capacity * teacherWidth
  }

  package func initialize(seed: UInt64) {
    for parameter in store.parameters {
      parameter.initializer.fill(parameter.value, seed: seed, name: parameter.name)
    }
  }

  /// This rank's part of the loss, and of the cosines' mean; `count` = samples of all ranks in the step. Adds to dA.
  ///
  /// - Throws: `HeadError` with the sample whose y is zero or not finite.
  package func forward(
    _ x: UnsafePointer<Float>, teacher: UnsafePointer<Float>, batch: Int, count: Int
  ) throws(HeadError) -> (loss: Double, cosine: Double) {
    precondition(batch >= 0 && batch <= capacity, "\(batch) of at most \(capacity) samples")
    self.batch = batch
    let y = products.elements.baseAddress!
    if let map {
      let a = map.value.baseAddress!
      Self.tiles(of: teacherWidth) { start, size in
        gemm(
          .none, .transpose, batch, size, width, x, a + start * width, into: y + start, leadingC: teacherWidth)
      }
    } else {
      y.update(from: x, count: batch * width)
    }
    var sum = 0.0
    for sample in 0..<batch {
      let (row, target) = (y + sample * teacherWidth, teacher + sample * teacherWidth)
      let square = sumOfSquares(row, count: teacherWidth)
      if square == 0 { throw .zeroEmbedding(sample: sample) }
      if !square.isFinite { throw .nonFiniteEmbedding(sample: sample) }
      let norm = (square + L2Normalize.epsilon).squareRoot()
      var product = 0.0
      for k in 0..<teacherWidth { product += Double(row[k]) * Double(target[k]) }
      let cosine = product / norm
      sum += cosine
      let factor = weight / Double(count) / norm
      for k in 0..<teacherWidth {
        row[k] = Float(factor * (cosine * Double(row[k]) / norm - Double(target[k])))
      }
    }
    if let map {
      let da = map.gradient.baseAddress!
      Self.tiles(of: teacherWidth) { start, size in
        gemm(
          .transpose, .none, size, width, batch, y + start, leadingA: teacherWidth, x, beta: 1, into: da + start * width
        )
      }
    }
    let n = Double(count)
    return (weight * (Double(batch) - sum) / n, sum / n)
  }

  /// Adds the last forward's dx (M, K) to `gradient`.
  package func addGradient(to gradient: UnsafeMutablePointer<Float>) {
    let dy = products.elements.baseAddress!
    if let map {
      let a = map.value.baseAddress!
      Self.tiles(of: width) { start, size in
        gemm(
          .none, .none, batch, size, teacherWidth, dy, a + start, leadingB: width, beta: 1, into: gradient + start,
          leadingC: width)
      }
    } else {
      for i in 0..<batch * width { gradient[i] += dy[i] }
    }
  }

  /// Pieces of a product, each computed by one thread whatever their number, so that it has the same bits.
  private static func tiles(of count: Int, _ body: (_ start: Int, _ size: Int) -> Void) {
    let size = 64
    Parallel.run { part, parts in
      for start in stride(from: part * size, to: count, by: parts * size) { body(start, min(size, count - start)) }
    }
  }
}
