package import Datasets

/// A network whose embeddings a student learns to give.
///
/// M = images of a training batch, K_t = `width`
package protocol Teacher: AnyObject {
  /// K_t
  var width: Int { get }
  /// Side of the pictures that it looks at; nil where it needs none.
  var imageSide: Int? { get }
  /// Memory beyond the images, for the start's report.
  var bytes: Int { get }
  /// Of what the embeddings are computed or taken from: the same on all ranks, and in a run that goes on exactly.
  var digest: String { get }
  /// What is worth knowing about how it was found, in sentences without a full stop.
  var notes: [String] { get }

  /// Unit vectors (M, K_t) of a training batch's pictures, in its order; valid until the next call.
  ///
  /// - Throws: `EvaluationError` that names the image which has none.
  func embeddings(of batch: Batch) throws -> UnsafePointer<Float>
}

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
