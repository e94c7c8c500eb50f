package import Datasets
import Files
import NeuralNetwork
import VectorKernels
import Weights

/// A model that looks at the pictures of each batch as the student does, in its own size.
package final class TeacherNetwork: Teacher {
  private let network: Network
  private let source: any ImageSource
  /// Pictures that go through it at once.
  private let piece: Int
  /// (capacity, T)
  private let output: AlignedMemory
  package let digest: String

  /// What is left over of a batch is computed on zeros, so pieces are small.
  private static let largestPiece = 32

  /// - Parameters:
  ///   - path: any model, see `WeightSource`.
  ///   - source: the images of the batches.
  ///   - capacity: the largest batch.
  /// - Throws: what is wrong with the model, `MemoryNeed`
  package init(path: String, _ source: any ImageSource, capacity: Int) throws {
    network = try ModelFile.open(path).network
    self.source = source
    piece = max(min(capacity, Self.largestPiece), 1)
    try MemoryNeed.check(evaluating: network, batch: piece)
    output = AlignedMemory(count: capacity * network.embeddingWidth)
    digest = network.weightsDigest
  }

  package var width: Int { network.embeddingWidth }
  package var imageSide: Int? { network.inputShape.height }
  package var bytes: Int {
    network.parameters.bytes + network.statistics.bytes + network.evaluationBytes(batch: piece) + output.bytes
  }

  package func embeddings(of batch: Batch) throws -> UnsafePointer<Float> {
    let rows = output.elements.baseAddress!
    let size = batch.teacherImages.count / max(batch.count, 1)
    for start in stride(from: 0, to: batch.count, by: piece) {
      let count = min(piece, batch.count - start)
      let pass = network.pass(batch: piece, .evaluation)
      let input = pass.input.buffer
      let end = input[..<(count * size)].update(
        fromContentsOf: batch.teacherImages[(start * size)..<((start + count) * size)])
      input[end...].update(repeating: 0)
      pass.forward()
      (rows + start * width).update(from: pass.output.elements, count: count * width)
    }
    for row in 0..<batch.count {
      try UnitRow.make(
        rows + row * width, width: width,
        "The teacher's embedding of '\(source.identifier(of: Int(batch.samples[row])).printableName)'")
    }
    return UnsafePointer(rows)
  }
}
