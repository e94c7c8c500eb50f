import NeuralNetwork
import Testing
import VectorKernels

@Suite struct MatrixProductTests {
  func plain(
    _ a: Transposition, _ b: Transposition, _ m: Int, _ n: Int, _ k: Int, _ x: [Float], _ y: [Float]
  ) -> [Float] {
    var result = [Float](repeating: 0, count: m * n)
    for i in 0..<m {
      for j in 0..<n {
        for t in 0..<k {
          result[i * n + j] += (a == .none ? x[i * k + t] : x[t * m + i]) * (b == .none ? y[t * n + j] : y[j * k + t])
        }
      }
    }
    return result
  }

  @Test(arguments: [Transposition.none, .transpose], [Transposition.none, .transpose])
  func products(a: Transposition, b: Transposition) {
    let (m, n, k) = (5, 7, 11)
    let (x, y) = (normals(m * k, seed: 1), normals(k * n, seed: 2))
    let expected = plain(a, b, m, n, k, x, y)
    var result = [Float](repeating: .nan, count: m * n)
    gemm(a, b, m, n, k, x, y, into: &result)
    #expect(difference(result, expected) < 1e-6)
    gemm(a, b, m, n, k, x, y, alpha: 0.5, beta: 2, into: &result)
    #expect(difference(result, expected.map { 2.5 * $0 }) < 1e-6)
  }

  /// A part of a larger matrix: rows further apart than they are long.
  @Test func leadingDimensions() {
    let x = normals(4 * 10, seed: 3)
    let y = normals(6 * 10, seed: 4)
    var result = [Float](repeating: -1, count: 4 * 9)
    gemm(.none, .transpose, 4, 6, 5, x, leadingA: 10, y, leadingB: 10, into: &result, leadingC: 9)
    for i in 0..<4 {
      for j in 0..<9 {
        let expected = j < 6 ? (0..<5).reduce(Float(0)) { $0 + x[i * 10 + $1] * y[j * 10 + $1] } : -1
        #expect(abs(result[i * 9 + j] - expected) < 1e-5)
      }
    }
  }

  /// Products of their own on every thread of a region.
  @Test func withinARegion() {
    let (m, n, k) = (64, 96, 128)
    let x = normals(m * k, seed: 5)
    let y = normals(k * n, seed: 6)
    let expected = plain(.none, .none, m, n, k, x, y)
    let results = AlignedMemory(count: Parallel.threads * m * n)
    Parallel.run { part, _ in
      for _ in 0..<20 { gemm(.none, .none, m, n, k, x, y, into: results.elements.baseAddress! + part * m * n) }
    }
    for part in 0..<Parallel.threads {
      #expect(difference(Array(results.elements[part * m * n..<(part + 1) * m * n]), expected) < 1e-5)
    }
  }

  @Test func emptyProducts() {
    var result: [Float] = [1, 2]
    gemm(.none, .none, 0, 2, 3, [0], [0, 0, 0, 0, 0, 0], into: &result)
    #expect(result == [1, 2])
    gemm(.none, .none, 1, 2, 0, [0], [0], into: &result)
    #expect(result == [0, 0])
  }
}
