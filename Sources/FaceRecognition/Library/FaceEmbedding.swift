import Inference

/// What a network makes of a photograph: a direction that it shares with other photographs of the same person.
public struct FaceEmbedding: Equatable, Sendable {
  /// As the network gives them, not of length 1.
  public let values: [Float]

  /// Takes values that were made elsewhere or stored, such as rows of a file that `cosface embed` wrote.
  public init(values: [Float]) { self.values = values }

  /// The cosine of the angle between two embeddings, in [-1, 1]: the higher, the likelier is one person.
  ///
  /// It is 0 where one of them is all zeros. Both must have the same number of values.
  public func cosine(with other: FaceEmbedding) -> Double {
    precondition(values.count == other.values.count, "Embeddings of \(values.count) and \(other.values.count) values")
    var (product, own, others) = (0.0, 0.0, 0.0)
    for (a, b) in zip(values, other.values) {
      product += Double(a) * Double(b)
      own += Double(a) * Double(a)
      others += Double(b) * Double(b)
    }
    guard own > 0, others > 0 else { return 0 }
    return min(1, max(-1, product / (own * others).squareRoot()))
  }
}
