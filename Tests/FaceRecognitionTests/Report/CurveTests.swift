import Reports
import Testing

struct CurveTests {
  @Test func aShortRunIsKeptAsItIs() {
    var curve = Curve()
    for step in 0..<Curve.capacity { curve.append(Double(step) * 2, at: step) }
    #expect(curve.pieces.map(\.mean) == (0..<Curve.capacity).map { Double($0) * 2 })
    #expect(curve.pieces.allSatisfy { $0.count == 1 && $0.minimum == $0.maximum })
  }

  @Test(arguments: [Curve.capacity + 1, 1000, 123_457]) func aLongRunKeepsItsExtremes(count: Int) {
    func value(_ step: Int) -> Double {
      switch step {
      case 777: 1e6
      case 778: -1e6
      default: Double(step % 10)
      }
    }
    var (curve, sum) = (Curve(), 0.0)
    for step in 0..<count {
      curve.append(value(step), at: step)
      sum += value(step)
    }
    let pieces = curve.pieces
    #expect(pieces.count <= Curve.capacity && pieces.count >= Curve.capacity / 2)
    #expect(pieces.reduce(0) { $0 + $1.count } == count)
    #expect(pieces.map(\.places.lowerBound) == pieces.map(\.places.lowerBound).sorted())
    #expect(zip(pieces, pieces.dropFirst()).allSatisfy { $0.places.upperBound + 1 == $1.places.lowerBound })
    #expect((pieces.map(\.maximum).max() == 1e6) == (count > 777))
    #expect((pieces.map(\.minimum).min() == -1e6) == (count > 778))
    #expect(abs(pieces.reduce(0) { $0 + $1.sum } - sum) < 1e-3)
    #expect(curve.last == Double((count - 1) % 10))
    #expect(curve.coarser(24).count <= 24 && curve.coarser(24).reduce(0) { $0 + $1.count } == count)
  }
}
