package import NeuralNetwork
package import Weights

/// The classifier's part of a training step: the class weight, wherever its rows lie, its loss and its update.
///
/// Every rank calls, in each step and in this order:
///
///     begin                  once: how many rounds of forward and backward all ranks make
///     forward, backward      each round, also without samples
///                            (the step's reducer finishes)
///     update                 once: whatever backward could not update yet
///     renormalize            once: all rows get one norm, the mean of theirs
package protocol Classifier: AnyObject {
  /// The rows that this rank holds, and the loss over them.
  var head: LargeMarginCosineLoss { get }
  /// What all ranks hold alike, to the bit.
  var replicas: [ParameterStore] { get }
  /// Bytes of everything held here.
  var bytes: Int { get }

  /// Makes the ranks agree on weights that were initialized or loaded. Call `renormalize` next.
  func synchronize() throws
  /// Takes the class weight and its optimizer's states from a checkpoint, which rank 0 alone has and reads for all. Call
  /// `resume` next.
  func restore(_ rows: ClassRows?) throws
  /// Makes the ranks agree on weights and states of a run that goes on; `scale` is the norm that all rows share.
  func resume(scale: Double) throws

  /// `step` counts from 0; `sampleCounts` are the sizes of this rank's micro-batches.
  ///
  /// Returns the rounds that all ranks make, at least one and no fewer than there are micro-batches.
  func begin(step: Int, sampleCounts: [Int]) throws -> Int
  /// Embeddings (M, K) of this rank and their labels (M); `count` = samples of all ranks in the step.
  ///
  /// Returns this rank's part of the loss: the ranks' parts add up.
  func forward(
    _ embeddings: UnsafePointer<Float>, labels: UnsafeBufferPointer<Int32>, count: Int
  ) throws -> Double
  /// Writes dL/d embedding (M, K) of this rank, unless no rank asks for it: a step that trains nothing of the network. In
  /// the last round it may update rows by `rule`.
  func backward(into gradient: UnsafeMutablePointer<Float>?, isLast: Bool, rule: UpdateRule) throws
  /// The sum of squares of the gradients that are not among `replicas`, over all ranks: for clipping.
  func squaredGradientNorm() throws -> Double
  func update(with rule: UpdateRule)
  /// Gives all rows the norm `norm`, or the mean of theirs.
  func renormalize(to norm: Double?) throws
  /// Hands all N rows of W, in their order and piece by piece, to `body` on rank 0. Every rank calls it.
  func streamRows(_ body: (UnsafeRawBufferPointer) throws -> Void) throws
}

extension Classifier {
  package var classWeight: ClassWeight { head.classWeight }
}

/// Where the rows of the class weight lie.
public enum ClassifierKind: String, Codable, CaseIterable, Sendable {
  /// All on every rank; their gradient is summed over the ranks.
  case replicated
  /// Divided among the ranks, which share their embeddings instead.
  case sharded
}
