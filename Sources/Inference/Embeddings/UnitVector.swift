/// Rows of length 1.
enum UnitVector {
  /// Why a vector has no direction.
  enum Problem: Error {
    case zero
    case notFinite

    /// As the end of a sentence about the embedding.
    var text: String {
      switch self {
      case .zero: "is all zeros and has no direction"
      case .notFinite: "holds a value that is not finite"
      }
    }
  }

  /// x / |x| of a vector of `count` Floats, aligned or not; the norm is summed in Double.
  static func write(
    _ vector: UnsafeRawPointer, count: Int, to output: UnsafeMutablePointer<Float>
  ) throws(Problem) {
    func x(_ i: Int) -> Double {
      Double(vector.loadUnaligned(fromByteOffset: i * MemoryLayout<Float>.size, as: Float.self))
    }
    var sum = 0.0
    for i in 0..<count { sum += x(i) * x(i) }
    guard sum.isFinite else { throw .notFinite }
    guard sum > 0 else { throw .zero }
    let scale = 1 / sum.squareRoot()
    for i in 0..<count { output[i] = Float(x(i) * scale) }
  }
}
