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
