package import Datasets
import Files
package import NeuralNetwork
import VectorKernels
import Weights

/// A trained network that looks at every picture which the student sees, under the same augmentation.
///
/// The network is another than the student's, with memory of its own: no pass of one moves that of the other.
package final class TeacherNetwork: Teacher {
  package let network: Network
  package let digest: String
  package let notes: [String] = []

  private let source: any ImageSource
  /// Images that go through the network at once; a batch's last piece is filled up with zeros, so that one pass serves all.
  private let pieceSize: Int
  private let output: AlignedMemory

  /// Opens a model of any kind of file, and makes all memory.
  ///
  /// - Parameters:
  ///   - capacity: the most images of a batch.
  ///   - source: the training set, whose images errors name.
  ///   - pieceSize: images that go through the network at once, at most: the embeddings do not depend on it.
  /// - Throws: what `ModelFile.open` throws; `MemoryNeed` where a piece finds no room.
  package init(path: String, capacity: Int, source: any ImageSource, pieceSize: Int = 32) throws {
    precondition(capacity > 0 && pieceSize > 0, "Batches of \(capacity) in pieces of \(pieceSize)")
    network = try ModelFile.open(path).network
    self.source = source
    self.pieceSize = min(capacity, pieceSize)
    try MemoryNeed.check(evaluating: network, batch: self.pieceSize)
    _ = network.pass(batch: self.pieceSize, .evaluation)
    output = AlignedMemory(count: capacity * network.embeddingWidth)
    digest = network.weightsDigest
  }

  package var width: Int { network.embeddingWidth }
  package var imageSide: Int? { network.inputShape.height }
  package var bytes: Int { network.parameters.bytes + network.statistics.bytes + network.passBytes + output.bytes }

  package func embeddings(of batch: Batch) throws -> UnsafePointer<Float> {
    let (size, width) = (network.inputShape.count, width)
    precondition(
      batch.teacherImages.count == batch.count * size && batch.count * width <= output.elements.count,
      "\(batch.count) images in \(batch.teacherImages.count) Floats for a teacher of side \(network.inputShape.height)")
    let rows = output.elements.baseAddress!
    for start in stride(from: 0, to: batch.count, by: pieceSize) {
      let count = min(pieceSize, batch.count - start)
      let pass = network.pass(batch: pieceSize, .evaluation)
      let input = pass.input.buffer
      let end = input.update(fromContentsOf: batch.teacherImages[(start * size)..<((start + count) * size)])
      input[end...].update(repeating: 0)
      pass.forward()
      let embeddings = pass.output.buffer.baseAddress!
      for row in 0..<count {
        do throws(UnitVector.Problem) {
          try UnitVector.write(embeddings + row * width, count: width, to: rows + (start + row) * width)
        } catch {
          let name = source.path(of: Int(batch.samples[start + row])).printableName
          throw EvaluationError("The teacher's embedding of '\(name)' \(error.text)")
        }
      }
    }
    return UnsafePointer(rows)
  }
}
