package import Datasets
import Inference
package import MPI

/// Ranks share the images that are to be embedded.
extension Communicator: EmbeddingGroup {
  package func gather(_ values: [Float], counts: [Int]) throws -> [Float] { try allGather(values, counts: counts) }
  package func gather(_ values: [Double], counts: [Int]) throws -> [Double] { try allGather(values, counts: counts) }
  package func gather<Value: Codable>(encoding own: Value) throws -> [Value] { try allGather(encoding: own) }
}
