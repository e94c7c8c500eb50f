import NeuralNetwork
import Testing

@Suite struct BFloat16Tests {
  private func roundTrip(_ values: [Float]) -> (halves: [UInt16], floats: [Float]) {
    var halves = [UInt16](repeating: 0, count: values.count)
    var floats = [Float](repeating: 0, count: values.count)
    BFloat16.encode(values, into: &halves, count: values.count)
    BFloat16.decode(halves, into: &floats, count: values.count)
    return (halves, floats)
  }

  /// Every bfloat16 there is, NaNs left out, comes back as it was: eight at a time and one by one.
  @Test func everyValueIsKept() {
    let all = (0...UInt16.max).map(BFloat16.decode).filter { !$0.isNaN }
    #expect(all.count == 65_536 - 254)
    for count in [all.count, all.count - 3] {
      let values = Array(all.prefix(count))
      #expect(zip(values, roundTrip(values).floats).allSatisfy { $0.bitPattern == $1.bitPattern })
    }
  }

  @Test func roundsToTheNearestTiesToEven() {
    // 1 + 2^-8 lies in the middle of 1 and 1 + 2^-7: 1 is even. 1 + 3 * 2^-8 goes up.
    let values: [Float] = [
      1 + 0x1p-8, 1 + 0x1.8p-7, (1 + Float(0x1p-8)).nextUp, (1 + Float(0x1p-8)).nextDown, -(1 + 0x1p-8), 0, -0.0,
      .leastNonzeroMagnitude, .greatestFiniteMagnitude, -.infinity,
    ]
    let expected: [Float] = [1, 1 + 0x1p-6, 1 + 0x1p-7, 1, -1, 0, -0.0, 0, .infinity, -.infinity]
    #expect(roundTrip(values).floats.map(\.bitPattern) == expected.map(\.bitPattern))
    #expect(values.map { BFloat16.encode($0) } == roundTrip(values).halves)
  }

  @Test func notANumberStaysNotANumber() {
    let values = [0x7f80_0001, 0xff80_0001, 0x7fff_ffff, 0xffff_ffff, 0x7fc0_0000].map { Float(bitPattern: $0) }
    #expect(roundTrip(values + values).floats.allSatisfy { $0.isNaN })
    #expect(values.allSatisfy { BFloat16.decode(BFloat16.encode($0)).isNaN })
  }

  @Test func relativeError() {
    var values = [Float](repeating: 0, count: 10_001)
    values.withUnsafeMutableBufferPointer {
      Initializer.normal(standardDeviation: 1e-3).fill($0, seed: 3, name: "x")
    }
    for (value, rounded) in zip(values, roundTrip(values).floats) {
      #expect(abs(rounded - value) <= abs(value) * 0x1p-8)
    }
  }
}

@Suite struct PairwiseSumTests {
  /// (0 + 1) + (2 + 3), then the fifth row: written out.
  @Test(arguments: 1...9) func orderOfATree(rows: Int) {
    var values = [Float](repeating: 0, count: rows * 11)
    values.withUnsafeMutableBufferPointer {
      Initializer.normal(standardDeviation: 1).fill($0, seed: 1, name: "x")
    }
    func tree(_ first: Int, _ count: Int, _ i: Int) -> Float {
      if count == 1 { return values[first * 11 + i] }
      var half = 1
      while 2 * half < count { half *= 2 }
      return tree(first, half, i) + tree(first + half, count - half, i)
    }
    let expected = (0..<11).map { tree(0, rows, $0) }
    values.withUnsafeMutableBufferPointer { buffer in
      let pointers = (0..<rows).map { buffer.baseAddress! + $0 * 11 }
      PairwiseSum.add(pointers, rowCount: rows, count: 11)
    }
    #expect(Array(values[0..<11]) == expected)
  }
}
