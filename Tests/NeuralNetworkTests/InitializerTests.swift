import Foundation
import NeuralNetwork
import Testing
import VectorKernels

@Suite struct InitializerTests {
  func values(_ initializer: Initializer, _ count: Int, seed: UInt64 = 1, name: String = "w", offset: Int = 0)
    -> [Float]
  {
    let memory = AlignedMemory(count: count)
    initializer.fill(memory.elements, seed: seed, name: name, offset: offset)
    return Array(memory.elements)
  }

  func mean(_ x: [Double], _ f: (Double) -> Double) -> Double {
    var sum = 0.0
    for value in x { sum += f(value) }
    return sum / Double(x.count)
  }

  /// Moments of 400,000 draws: 4 deviations of their estimates.
  @Test(arguments: [
    (Initializer.normal(standardDeviation: 0.1), 0.1), (.xavierNormal(fanIn: 512, fanOut: 1488), 0.001.squareRoot()),
    (.kaimingNormal(fan: 200), 0.1),
  ])
  func normals(initializer: Initializer, deviation: Double) {
    let x = values(initializer, 400_000).map { Double($0) / deviation }
    let root = Double(x.count).squareRoot()
    #expect(abs(mean(x) { $0 }) < 4 / root)
    #expect(abs(mean(x) { $0 * $0 } - 1) < 4 * 2.0.squareRoot() / root)
    #expect(abs(mean(x) { $0 * $0 * $0 }) < 4 * 15.0.squareRoot() / root)
    #expect(abs(mean(x) { pow($0, 4) } - 3) < 4 * 96.0.squareRoot() / root)
    #expect(abs(mean(x) { abs($0) < 1 ? 1 : 0 } - 0.682_689) < 4 * 0.2166.squareRoot() / root)
    // Neighbours, the two of a pair among them, are independent.
    let products = zip(x, x.dropFirst()).map { $0 * $1 }
    #expect(abs(mean(products) { $0 }) < 4 / root)
  }

  @Test func uniforms() {
    let x = values(.uniformFanIn(25), 100_000).map { Double($0) / 0.2 }
    let root = Double(x.count).squareRoot()
    #expect(x.allSatisfy { abs($0) <= 1.000_001 })
    #expect(abs(mean(x) { $0 }) < 4 * (1 / 3.0).squareRoot() / root)
    #expect(abs(mean(x) { $0 * $0 } - 1 / 3.0) < 4 * (4 / 45.0).squareRoot() / root)
  }

  @Test func constant() { #expect(values(.constant(0.25), 3) == [0.25, 0.25, 0.25]) }

  @Test(arguments: [Initializer.normal(standardDeviation: 1), .uniformFanIn(4)])
  func dependOnSeedNameAndIndexAlone(initializer: Initializer) {
    let whole = values(initializer, 1001)
    #expect(whole == values(initializer, 1001))
    #expect(whole != values(initializer, 1001, seed: 2))
    #expect(whole != values(initializer, 1001, name: "v"))
    for start in [1, 2, 500, 999] {
      #expect(Array(whole[start...]) == values(initializer, 1001 - start, offset: start))
    }
    #expect(Set(whole).count > 990)
  }
}
