import VectorKernels

/// Embeddings of length 1.
///
/// M = batch, K = embedding width.  x, e (M, K)
///
///     forward     n = sqrt(sum x^2 + 1e-10)        e = x / n
///     backward    dx = (de - e (e . de)) / n       exact but for the 1e-10, with the forward's n
package final class L2Normalize {
  /// Inside the square root, as in the SSD branch of Caffe.
  package static let epsilon = 1e-10

  package let width: Int
  /// The last forward's e, rows adjacent.
  package var embeddings: UnsafeMutableBufferPointer<Float> {
    .init(rebasing: output.elements[0..<(batch * width)])
  }
  /// The last forward's n, one per sample: small ones tell of a backbone that has gone quiet.
  package var norms: UnsafeMutableBufferPointer<Float> { .init(rebasing: lengths.elements[0..<batch]) }

  private var batch = 0
  private let output: AlignedMemory
  private let lengths: AlignedMemory

  /// `capacity` is the largest batch.
  package init(width: Int, capacity: Int) {
    precondition(width > 0 && capacity >= 0, "Embeddings of width \(width) for a batch of \(capacity)")
    self.width = width
    output = AlignedMemory(count: capacity * width)
    lengths = AlignedMemory(count: capacity)
  }

  /// Normalizes `batch` rows of x. Two reads of x (the second from the cache), one write of e.
  package func forward(_ x: UnsafePointer<Float>, batch: Int) throws(HeadError) {
    precondition(batch >= 0 && batch <= lengths.elements.count, "\(batch) of at most \(lengths.elements.count) samples")
    self.batch = batch
    for sample in 0..<batch {
      let row = x + sample * width
      let sum = sumOfSquares(row, count: width)
      if sum == 0 { throw .zeroEmbedding(sample: sample) }
      if !sum.isFinite { throw .nonFiniteEmbedding(sample: sample) }
      let norm = (sum + Self.epsilon).squareRoot()
      lengths.elements[sample] = Float(norm)
      for k in 0..<width { embeddings[sample * width + k] = Float(Double(row[k]) / norm) }
    }
  }

  /// Writes the gradient of the last forward's x. `gradient` (de) and `result` (dx) may be the same memory.
  package func backward(_ gradient: UnsafePointer<Float>, into result: UnsafeMutablePointer<Float>) {
    for sample in 0..<batch {
      let start = sample * width
      var projection = 0.0
      for k in 0..<width { projection += Double(output.elements[start + k]) * Double(gradient[start + k]) }
      let inverse = 1 / Double(lengths.elements[sample])
      for k in start..<(start + width) {
        result[k] = Float((Double(gradient[k]) - Double(output.elements[k]) * projection) * inverse)
      }
    }
  }
}
