import Datasets
import Inference
import Testing

@Suite struct EmbeddingTableTests {
  @Test func cosines() throws {
    let table = try EmbeddingTable([3, 4, 0, 1, -6, -8], width: 2) { "\($0)" }
    #expect(table.count == 3)
    #expect(table.cosine(0, 1) == CosineStep.rounded(0.8))
    #expect(table.cosine(0, 2) == -1 && table.cosine(0, 0) == 1)
    #expect(table.cosine(2, 0) == -1 && table.cosine(1, 1) == 1)
    #expect(table.norms == Distribution(of: [5, 1, 10]))
  }

  /// Against sums in one order: widths that do and do not fill the eight lanes.
  @Test(arguments: [1, 7, 8, 9, 512]) func widths(width: Int) throws {
    let rows = (0..<2 * width).map { Float(($0 * 37) % 101) / 7 - 6 }
    let table = try EmbeddingTable(rows, width: width) { "\($0)" }
    func product(_ i: Int, _ j: Int) -> Double {
      (0..<width).reduce(0) { $0 + Double(rows[i * width + $1]) * Double(rows[j * width + $1]) }
    }
    let expected = product(0, 1) / (product(0, 0) * product(1, 1)).squareRoot()
    // Rounded to a step; Double sums of 512 products in another order may lie beside the step's border.
    #expect(abs(table.cosine(0, 1) - expected) < 0x1.01p-45)
  }

  @Test func flipTestSumsBeforeNormalization() throws {
    let table = try EmbeddingTable([1, 0, 0, 2], flipped: [0, 1, 0, 2], width: 2) { "\($0)" }
    #expect(table.cosine(0, 1) == CosineStep.rounded(0.5.squareRoot()))
    #expect(table.norms.mean == 1.5)
  }

  /// Of (3, 4 | 0, 5) and (0, 2 | 1, 0): 8 / (sqrt(50) sqrt(5)).
  @Test func flipTestConcatenates() throws {
    let table = try EmbeddingTable([3, 4, 0, 2], flipped: [0, 5, 1, 0], combination: .concatenate, width: 2) { "\($0)" }
    #expect(table.width == 4 && table.count == 2)
    #expect(table.cosine(0, 1) == CosineStep.rounded(8 / 250.0.squareRoot()))
    #expect(table.norms == Distribution(of: [5, 2]))
    let plain = try EmbeddingTable([3, 4, 0, 2], flipped: [0, 5, 1, 0], combination: .none, width: 2) { "\($0)" }
    #expect(plain.width == 2 && plain.cosine(0, 1) == CosineStep.rounded(0.8))
  }

  @Test func zerosAndInfinitiesNameTheImage() {
    let names = ["a.jpg", "b.jpg"]
    #expect(throws: EvaluationError("The embedding of 'b.jpg' is all zeros and has no direction")) {
      try EmbeddingTable([1, 2, 0, 0], width: 2) { names[$0] }
    }
    #expect(throws: EvaluationError("The embedding of 'a.jpg' holds a value that is not finite")) {
      try EmbeddingTable([.nan, 2, 1, 0], width: 2) { names[$0] }
    }
    #expect(throws: EvaluationError("The embedding of the mirrored image of 'b.jpg' is all zeros and has no direction"))
    {
      try EmbeddingTable([1, 2, 1, 0], flipped: [1, 2, 0, 0], width: 2) { names[$0] }
    }
    #expect(throws: EvaluationError("The sum of the two embeddings of 'a.jpg' is all zeros and has no direction")) {
      try EmbeddingTable([1, 2, 1, 0], flipped: [-1, -2, 1, 0], width: 2) { names[$0] }
    }
  }

  /// The smallest and largest Floats: squares of these leave Float's range, not Double's.
  @Test func extremes() throws {
    let tiny = Float.leastNonzeroMagnitude
    let huge = Float.greatestFiniteMagnitude
    let table = try EmbeddingTable([tiny, 0, huge, huge], width: 2) { "\($0)" }
    #expect(table.cosine(0, 1) == CosineStep.rounded(0.5.squareRoot()))
  }

  /// NumPy: `np.mean([1, 2, 4, 9])`, `np.std`.
  @Test func distribution() {
    let distribution = Distribution(of: [4, 1, 9, 2])
    #expect(distribution.count == 4 && distribution.mean == 4)
    #expect(abs(distribution.standardDeviation - 3.082207001484488) < 1e-15)
    #expect(distribution.minimum == 1 && distribution.maximum == 9)
    #expect(Distribution(of: [3]).standardDeviation == 0)
  }
}
