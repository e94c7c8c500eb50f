import Distributed
import Testing

@Suite struct ClassSamplingTests {
  private let sampling = ClassSampling(rate: 0.1, seed: 7)

  @Test func doesNotDependOnTheDivision() {
    let labels: [Int32] = [3, 999, 500, 500]
    let whole = sampling.rows(of: 0..<1000, step: 12, labels: labels)
    for bounds in [[0, 500, 1000], [0, 1, 333, 998, 1000]] {
      let parts = zip(bounds, bounds.dropFirst()).flatMap { start, end in
        sampling.rows(of: start..<end, step: 12, labels: labels).map { $0 + Int32(start) }
      }
      #expect(parts == whole)
    }
    #expect(Set(labels).isSubset(of: whole))
    #expect(zip(whole, whole.dropFirst()).allSatisfy(<))
  }

  @Test func drawsAnewInEachStepAtItsRate() {
    let steps = (0..<50).map { sampling.rows(of: 0..<2000, step: $0, labels: []) }
    // 200 on average with a deviation of 13.4.
    for rows in steps { #expect(abs(rows.count - 200) < 100) }
    let mean = Double(steps.map(\.count).reduce(0, +)) / 50
    #expect(abs(mean - 200) < 10)
    #expect(Set(steps).count == 50)
    #expect(Set(steps.joined()).count > 1950)
    #expect(sampling.rows(of: 0..<2000, step: 3, labels: []) == steps[3])
    #expect(ClassSampling(rate: 0.1, seed: 8).rows(of: 0..<2000, step: 3, labels: []) != steps[3])
    #expect(ClassSampling(rate: 1, seed: 7).rows(of: 5..<9, step: 3, labels: []) == [0, 1, 2, 3])
    #expect(steps.allSatisfy { $0.count <= sampling.capacity(of: 2000, samples: 0) })
  }
}
